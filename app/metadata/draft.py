"""Table metadata while a list of updates is applied to it.

The base is never touched: a member is copied when it is first edited, so a commit costs what it changes.
"""

from operator import itemgetter
from typing import Any

from app.errors import ValidationException
from app.metadata.schema import SchemaIndex, index_schema
from app.metadata.shapes import JsonObject


class TableDraft:
    """What the update actions read and edit.

    ``document`` is the metadata so far, ``updated_ms`` the time of the commit in epoch milliseconds. The
    ``added_…`` members hold what this list of updates added, for ``-1`` ("last added") and the snapshot log.
    """

    def __init__(
        self, document: JsonObject, *, updated_ms: int, creating: bool, max_columns: int | None
    ) -> None:
        self.document = dict(document)
        self.updated_ms = updated_ms
        self.creating = creating
        self.max_columns = max_columns
        self.changed = creating
        self.layout_changed = creating
        self.last_added_schema_id: int | None = None
        self.last_added_spec_id: int | None = None
        self.last_added_order_id: int | None = None
        self.added_snapshots: dict[int, JsonObject] = {}
        self.main_moves: list[int] = []
        self.removed_snapshots = False
        self._owned: set[str] = set()
        self._snapshot_ids: set[int] | None = None
        self._indexes: dict[int, SchemaIndex] = {}

    @property
    def format_version(self) -> int:
        version: int = self.document["format-version"]
        return version

    def put(self, member: str, value: Any) -> None:
        """Set a member of the document; this counts as a change."""
        self.document[member] = value
        self._owned.add(member)
        self.changed = True

    def read(self, member: str) -> Any:
        """Return an array or object for reading only; empty when there is none."""
        return self.document.get(member) or ()

    def edit_array(self, member: str) -> list[Any]:
        """Return an array that may be changed; this counts as a change."""
        if member not in self._owned:
            self.put(member, list(self.document.get(member) or ()))
        self.changed = True
        array: list[Any] = self.document[member]
        return array

    def edit_object(self, member: str) -> JsonObject:
        """Return an object that may be changed; this counts as a change."""
        if member not in self._owned:
            self.put(member, dict(self.document.get(member) or {}))
        self.changed = True
        owned: JsonObject = self.document[member]
        return owned

    def find(self, member: str, id_member: str, wanted: int) -> JsonObject | None:
        """Return the item of an array whose id is ``wanted``."""
        return next((item for item in self.read(member) if item[id_member] == wanted), None)

    def snapshot_ids(self) -> set[int]:
        """Return the ids of all snapshots; collected when first asked for."""
        if self._snapshot_ids is None:
            self._snapshot_ids = set(map(itemgetter("snapshot-id"), self.read("snapshots")))
        return self._snapshot_ids

    def current_schema(self) -> JsonObject:
        """:raises ValidationException: when there is none yet"""
        schema_id = self.document["current-schema-id"]
        schema = self.find("schemas", "schema-id", schema_id)
        if schema is None:
            raise ValidationException(f"Cannot find current schema: {schema_id}")
        return schema

    def current_index(self) -> SchemaIndex:
        """Return the index of the current schema."""
        schema = self.current_schema()
        schema_id = schema["schema-id"]
        if schema_id not in self._indexes:
            self._indexes[schema_id] = index_schema(schema, f"schema {schema_id}")
        return self._indexes[schema_id]

    def forget_indexes(self) -> None:
        self._indexes.clear()
