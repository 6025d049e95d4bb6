"""What clients ask for: a new table, or changes of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from app.catalog.context import Catalog
from app.catalog.intents import Base
from app.catalog.kinds import TABLE
from app.catalog.locations import table_location
from app.catalog.times import now_ms
from app.identifiers import TableIdentifier
from app.metadata.requirements import check_table_requirements, is_create
from app.metadata.shapes import JsonObject
from app.metadata.table import new_table_metadata
from app.metadata.updates import apply_table_updates


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTable:
    """What createTable asks for; schema, spec and order are JSON objects that the metadata rules check."""

    identifier: TableIdentifier
    schema: Any
    location: str | None = None
    partition_spec: Any = None
    write_order: Any = None
    properties: dict[str, str] = field(default_factory=dict)

    def produce(self, base: Base, max_columns: int) -> JsonObject:
        base.check_free(self.identifier, TABLE)
        uuid = str(uuid4())
        return new_table_metadata(
            table_uuid=uuid,
            location=self.location or table_location(base.namespace_location, self.identifier.name, uuid),
            schema=self.schema,
            partition_spec=self.partition_spec,
            sort_order=self.write_order,
            properties=self.properties,
            now_ms=now_ms(),
            max_columns=max_columns,
        )


class TableCommit(NamedTuple):
    """Requirements and updates for one table, as JSON values that the metadata rules check."""

    table: TableIdentifier
    requirements: Sequence[Any]
    updates: Sequence[Any]

    def apply(
        self, catalog: Catalog, base: Base, current: JsonObject | None, logged: str | None
    ) -> JsonObject:
        if current is None:
            if not is_create(self.requirements):
                raise TABLE.does_not_exist(self.table)
            base.check_free(self.table, TABLE)
        check_table_requirements(current, self.requirements)
        uuid = str(uuid4()) if current is None else None
        place = table_location(base.namespace_location, self.table.name, uuid) if uuid else None
        return apply_table_updates(
            current,
            self.updates,
            now_ms=now_ms(),
            previous_location=logged,
            default_location=place,
            default_uuid=uuid,
            max_columns=catalog.settings.limits.max_columns,
        )
