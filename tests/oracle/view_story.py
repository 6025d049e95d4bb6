"""Random lists of view updates, told from the current metadata."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.oracle.columns import Columns

Updates = list[dict[str, Any]]
DIALECTS = ("spark", "trino", "Trino", "duckdb")


class ViewStory:
    def __init__(self, random: Random, document: dict[str, Any], now_ms: int) -> None:
        self.random = random
        self.document = document
        self.now_ms = now_ms

    def tell(self) -> Updates:
        moves = self.random.choices(MOVES, WEIGHTS, k=self.random.randint(1, 4))
        if self.random.random() < 0.15:
            moves.append(self.random.choice(MISTAKES))
        return [update for move in moves for update in move(self)]

    def some_id(self, member: str, id_member: str) -> int:
        chosen: int = self.random.choice(self.document[member])[id_member]
        return chosen

    def version(self, schema_id: int) -> dict[str, Any]:
        dialects = self.random.sample(DIALECTS[:2], self.random.randint(1, 2))
        version: dict[str, Any] = {
            "version-id": self.random.randint(1, 6),
            "timestamp-ms": self.now_ms,
            "schema-id": schema_id,
            "summary": {"engine-name": self.random.choice(("spark", "trino"))},
            "default-namespace": self.random.choice(([], ["a"], ["a", "b.c"])),
            "representations": [
                {"type": "sql", "sql": f"select {self.random.randint(1, 4)}", "dialect": dialect}
                for dialect in dialects
            ],
        }
        if self.random.random() < 0.3:
            version["default-catalog"] = "prod"
        return version

    def replace(self) -> Updates:
        schema = Columns(self.random, 1, 1).schema(self.random.randint(1, 3))
        return [
            {"action": "add-schema", "schema": schema},
            {"action": "add-view-version", "view-version": self.version(-1)},
            {"action": "set-current-view-version", "view-version-id": -1},
        ]

    def requery(self) -> Updates:
        version = self.version(self.some_id("schemas", "schema-id"))
        updates: Updates = [{"action": "add-view-version", "view-version": version}]
        if self.random.random() < 0.7:
            updates.append({"action": "set-current-view-version", "view-version-id": -1})
        return updates

    def choose_version(self) -> Updates:
        version_id = self.some_id("versions", "version-id")
        return [{"action": "set-current-view-version", "view-version-id": version_id}]

    def set_properties(self) -> Updates:
        return [
            {
                "action": "set-properties",
                "updates": {
                    self.random.choice(("a", "b")): "1",
                    "version.history.num-entries": str(self.random.randint(1, 5)),
                    "replace.drop-dialect.allowed": self.random.choice(("true", "true", "false")),
                },
            }
        ]

    def remove_properties(self) -> Updates:
        names = self.random.sample(("a", "version.history.num-entries"), self.random.randint(0, 2))
        return [{"action": "remove-properties", "removals": names}]

    def move(self) -> Updates:
        return [{"action": "set-location", "location": f"s3://bucket/{self.random.choice('vw')}"}]

    def assign_uuid(self) -> Updates:
        return [{"action": "assign-uuid", "uuid": self.document["view-uuid"]}]

    def upgrade(self) -> Updates:
        return [{"action": "upgrade-format-version", "format-version": 1}]

    def other_uuid(self) -> Updates:
        return [{"action": "assign-uuid", "uuid": "00000000-0000-4000-8000-000000000000"}]

    def unknown_ids(self) -> Updates:
        return self.random.choice(
            (
                [{"action": "set-current-view-version", "view-version-id": 404}],
                [{"action": "set-current-view-version", "view-version-id": -1}],
                [{"action": "add-view-version", "view-version": self.version(404)}],
                [{"action": "add-view-version", "view-version": self.version(-1)}],
            )
        )

    def two_queries(self) -> Updates:
        version = self.version(0)
        version["representations"] = [
            {"type": "sql", "sql": "select 7", "dialect": dialect} for dialect in DIALECTS[:3]
        ]
        return [{"action": "add-view-version", "view-version": version}]

    def bad_shape(self) -> Updates:
        version = self.version(0)
        del version[self.random.choice(("timestamp-ms", "summary", "default-namespace", "representations"))]
        return [{"action": "add-view-version", "view-version": version}]

    def downgrade(self) -> Updates:
        return [{"action": "upgrade-format-version", "format-version": 0}]

    def table_action(self) -> Updates:
        return [{"action": "remove-snapshots", "snapshot-ids": [1]}]


Move = Callable[[ViewStory], Updates]
WEIGHTED: dict[Move, int] = {
    ViewStory.replace: 3,
    ViewStory.requery: 4,
    ViewStory.choose_version: 3,
    ViewStory.set_properties: 2,
    ViewStory.remove_properties: 2,
    ViewStory.move: 2,
    ViewStory.assign_uuid: 2,
    ViewStory.upgrade: 2,
}
MOVES = list(WEIGHTED)
WEIGHTS = list(WEIGHTED.values())
MISTAKES: list[Move] = [
    ViewStory.other_uuid,
    ViewStory.unknown_ids,
    ViewStory.two_queries,
    ViewStory.bad_shape,
    ViewStory.downgrade,
    ViewStory.table_action,
]
