"""What clients send: every method returns table updates that belong together."""

from random import Random
from typing import Any

from tests.oracle.columns import Columns, partition_fields, sort_fields

Updates = list[dict[str, Any]]
LONG = 2**63 - 1


class TableMoves:
    """Keeps in mind what the updates so far have made of the table."""

    def __init__(self, random: Random, document: dict[str, Any], now_ms: int) -> None:
        self.random = random
        self.now_ms = now_ms
        self.version = document["format-version"]
        self.document = document
        self.sequence = document.get("last-sequence-number", 0)
        self.next_row_id = document.get("next-row-id", 0)
        self.snapshot_ids = [item["snapshot-id"] for item in document["snapshots"]]
        self.refs = {name: ref["snapshot-id"] for name, ref in document["refs"].items()}
        self.schema = next(
            item for item in document["schemas"] if item["schema-id"] == document["current-schema-id"]
        )
        self.last_column_id = document["last-column-id"]
        self.last_partition_id = document["last-partition-id"]

    # snapshots

    def snapshot(self, parent: int | None) -> dict[str, Any]:
        self.sequence += 1
        snapshot: dict[str, Any] = {
            "snapshot-id": self.random.randint(1, LONG),
            "timestamp-ms": self.now_ms + len(self.snapshot_ids) % 7,
            "manifest-list": f"s3://bucket/t/metadata/snap-{self.sequence}.avro",
            "summary": {
                "operation": self.random.choice(("append", "overwrite", "delete", "replace")),
                "n": "1",
            },
        }
        if self.version > 1:
            snapshot["sequence-number"] = self.sequence
        if parent is not None:
            snapshot["parent-snapshot-id"] = parent
        if self.random.random() < 0.8:
            snapshot["schema-id"] = 0
        if self.version >= 3:
            snapshot["first-row-id"] = self.next_row_id
            snapshot["added-rows"] = self.random.randint(0, 100)
            self.next_row_id += snapshot["added-rows"]
        if self.version >= 3 and self.random.random() < 0.1:
            snapshot["key-id"] = "k1"
        self.snapshot_ids.append(snapshot["snapshot-id"])
        return snapshot

    def append(self) -> Updates:
        snapshot = self.snapshot(self.refs.get("main"))
        return [
            {"action": "add-snapshot", "snapshot": snapshot},
            self.point("main", snapshot["snapshot-id"]),
        ]

    def stage(self) -> Updates:
        return [{"action": "add-snapshot", "snapshot": self.snapshot(self.refs.get("main"))}]

    def point(self, name: str, snapshot_id: int, kind: str = "branch") -> dict[str, Any]:
        self.refs[name] = snapshot_id
        return {"action": "set-snapshot-ref", "ref-name": name, "type": kind, "snapshot-id": snapshot_id}

    def roll_back(self) -> Updates:
        return [self.point("main", self.random.choice(self.snapshot_ids))] if self.snapshot_ids else []

    def branch(self) -> Updates:
        if not self.snapshot_ids:
            return self.append()
        name = self.random.choice(("b1", "b2", "main"))
        update = self.point(name, self.random.choice(self.snapshot_ids))
        for member in ("min-snapshots-to-keep", "max-snapshot-age-ms", "max-ref-age-ms"):
            if self.random.random() < 0.3:
                update[member] = self.random.randint(1, 5)
        return [update]

    def tag(self) -> Updates:
        if not self.snapshot_ids:
            return self.append()
        update = self.point(
            self.random.choice(("t1", "t2", "b1")), self.random.choice(self.snapshot_ids), "tag"
        )
        if self.random.random() < 0.3:
            update["max-ref-age-ms"] = self.random.randint(1, LONG)
        return [update]

    def remove_ref(self) -> Updates:
        name = self.random.choice((*self.refs, "gone"))
        self.refs.pop(name, None)
        return [{"action": "remove-snapshot-ref", "ref-name": name}]

    def remove_snapshots(self) -> Updates:
        count = min(len(self.snapshot_ids), self.random.randint(0, 2))
        removed = self.random.sample(self.snapshot_ids, count)
        self.snapshot_ids = [item for item in self.snapshot_ids if item not in removed]
        self.refs = {name: item for name, item in self.refs.items() if item not in removed}
        return [{"action": "remove-snapshots", "snapshot-ids": [*removed, 404]}]

    # schemas, specs, orders

    def columns(self) -> Columns:
        return Columns(self.random, self.last_column_id + 1, self.version)

    def evolve_schema(self) -> Updates:
        columns = self.columns()
        fields = [dict(field) for field in self.schema["fields"]]
        if self.random.random() < 0.3:
            self.random.choice(fields)["doc"] = f"changed {columns.next_id}"
        if self.random.random() < 0.8:
            fields.append({**columns.field(f"c{columns.next_id}"), "required": False})
        self.last_column_id = columns.next_id - 1
        self.schema = {**self.schema, "fields": fields, "schema-id": 77}
        updates: Updates = [
            {"action": "add-schema", "schema": self.schema, "last-column-id": self.last_column_id}
        ]
        if self.random.random() < 0.9:
            updates.append({"action": "set-current-schema", "schema-id": -1})
        return updates

    def add_equal_schema(self) -> Updates:
        schema = self.random.choice(self.document["schemas"])
        return [{"action": "add-schema", "schema": {**schema, "schema-id": 5}}]

    def choose_schema(self) -> Updates:
        return [
            {
                "action": "set-current-schema",
                "schema-id": self.random.choice(self.document["schemas"])["schema-id"],
            }
        ]

    def remove_schemas(self) -> Updates:
        ids = [item["schema-id"] for item in self.document["schemas"][:-2]]
        current = self.document["current-schema-id"]
        return [{"action": "remove-schemas", "schema-ids": [i for i in ids if i != current] + [404]}]

    def evolve_spec(self) -> Updates:
        fields = partition_fields(self.random, self.schema)
        first = 1000 if self.version == 1 else self.last_partition_id + 1
        for i, field in enumerate(fields):
            field["field-id"] = first + i
        self.last_partition_id = max(self.last_partition_id, first + len(fields) - 1)
        updates: Updates = [{"action": "add-spec", "spec": {"spec-id": 3, "fields": fields}}]
        if self.random.random() < 0.8:
            updates.append({"action": "set-default-spec", "spec-id": -1})
        return updates

    def choose_spec(self) -> Updates:
        spec = self.random.choice(self.document["partition-specs"])
        return [{"action": "set-default-spec", "spec-id": spec["spec-id"]}]

    def remove_specs(self) -> Updates:
        ids = [item["spec-id"] for item in self.document["partition-specs"][:-2]]
        default = self.document["default-spec-id"]
        return [{"action": "remove-partition-specs", "spec-ids": [i for i in ids if i != default] + [404]}]

    def evolve_order(self) -> Updates:
        fields = sort_fields(self.random, self.schema)
        order = {"order-id": 3 if fields else 0, "fields": fields}
        updates: Updates = [{"action": "add-sort-order", "sort-order": order}]
        if self.random.random() < 0.8:
            updates.append({"action": "set-default-sort-order", "sort-order-id": -1})
        return updates

    def choose_order(self) -> Updates:
        order = self.random.choice(self.document["sort-orders"])
        return [{"action": "set-default-sort-order", "sort-order-id": order["order-id"]}]

    # the table itself

    def assign_same_uuid(self) -> Updates:
        return [{"action": "assign-uuid", "uuid": self.document["table-uuid"]}]

    def upgrade(self) -> Updates:
        if self.random.random() < 0.8:
            return [{"action": "upgrade-format-version", "format-version": self.version}]
        self.version = min(3, self.version + 1)
        return [{"action": "upgrade-format-version", "format-version": self.version}]

    def move(self) -> Updates:
        path = f"s3://bucket/{self.random.choice('tuvw')}{self.random.choice(('', '/'))}"
        return [{"action": "set-location", "location": path}]

    def set_properties(self) -> Updates:
        names = self.random.sample(("a", "b", "c", "owner", "write.metadata.previous-versions-max"), 2)
        member = "updated" if self.random.random() < 0.1 else "updates"
        return [
            {"action": "set-properties", member: {name: str(self.random.randint(0, 5)) for name in names}}
        ]

    def remove_properties(self) -> Updates:
        names = self.random.sample(("a", "b", "c", "owner"), self.random.randint(0, 2))
        return [
            {
                "action": "remove-properties",
                "removed" if self.random.random() < 0.1 else "removals": names,
            }
        ]

    def some_snapshot_id(self) -> int:
        return self.random.choice((*self.snapshot_ids, 404))

    def set_statistics(self) -> Updates:
        snapshot_id = self.some_snapshot_id()
        blob = {
            "type": "apache-datasketches-theta-v1",
            "snapshot-id": snapshot_id,
            "sequence-number": 1,
            "fields": [1],
        }
        file = {
            "snapshot-id": snapshot_id,
            "statistics-path": "s3://bucket/t/s.puffin",
            "file-size-in-bytes": self.random.randint(0, LONG),
            "file-footer-size-in-bytes": 4,
            "blob-metadata": [blob, {**blob, "properties": {"ndv": "5"}}],
        }
        return [{"action": "set-statistics", "snapshot-id": snapshot_id, "statistics": file}]

    def remove_statistics(self) -> Updates:
        return [{"action": "remove-statistics", "snapshot-id": self.some_snapshot_id()}]

    def set_partition_statistics(self) -> Updates:
        file = {
            "snapshot-id": self.some_snapshot_id(),
            "statistics-path": "s3://bucket/t/p.parquet",
            "file-size-in-bytes": self.random.randint(0, LONG),
        }
        return [{"action": "set-partition-statistics", "partition-statistics": file}]

    def remove_partition_statistics(self) -> Updates:
        return [{"action": "remove-partition-statistics", "snapshot-id": self.some_snapshot_id()}]

    def add_key(self) -> Updates:
        key: dict[str, Any] = {
            "key-id": self.random.choice(("k1", "k2", "k3")),
            "encrypted-key-metadata": "c2VjcmV0",
        }
        if self.random.random() < 0.5:
            key |= {"encrypted-by-id": "k0", "properties": {"p": "v"}}
        return [{"action": "add-encryption-key", "encryption-key": key}]

    def remove_key(self) -> Updates:
        return [{"action": "remove-encryption-key", "key-id": self.random.choice(("k1", "k2", "k3"))}]
