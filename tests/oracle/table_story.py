"""Random lists of table updates: what clients send, and about one in eight of what they should not."""

from collections.abc import Callable

from tests.oracle.table_moves import TableMoves, Updates


class TableStory(TableMoves):
    """Tells the updates of commits, starting from the current metadata."""

    def tell(self) -> Updates:
        """Return the updates of one commit."""
        moves = self.random.choices(MOVES, WEIGHTS, k=self.random.randint(1, 5))
        if self.random.random() < 0.12:
            moves.append(self.random.choice(MISTAKES))
        updates = [update for move in moves for update in move(self)]
        for update in updates:
            if self.random.random() < 0.05:
                update["action"] = update["action"].upper()
        return updates

    # what should be refused

    def stale_snapshot(self) -> Updates:
        snapshot = self.snapshot(404)
        if self.random.random() < 0.5:
            snapshot["sequence-number"] = min(self.sequence - 1, self.document.get("last-sequence-number", 0))
        elif self.version >= 3:
            snapshot["first-row-id"] = self.next_row_id - snapshot["added-rows"] - 1
        return [{"action": "add-snapshot", "snapshot": snapshot}]

    def snapshot_twice(self) -> Updates:
        added = self.append()
        again = {**added[0]["snapshot"]}
        return [*added, {"action": "add-snapshot", "snapshot": again}]

    def rowless_snapshot(self) -> Updates:
        snapshot = self.snapshot(None)
        snapshot.pop(self.random.choice(("first-row-id", "added-rows")), None)
        return [{"action": "add-snapshot", "snapshot": snapshot}]

    def future_snapshot(self) -> Updates:
        updates = self.append()
        updates[0]["snapshot"]["timestamp-ms"] = self.now_ms + 10**9
        return updates

    def point_nowhere(self) -> Updates:
        return [self.point(self.random.choice(("main", "b1")), 404)]

    def tag_main(self) -> Updates:
        return [self.point("main", self.some_snapshot_id(), "tag")]

    def bad_retention(self) -> Updates:
        update = self.point("t3", self.some_snapshot_id(), self.random.choice(("branch", "tag")))
        update["min-snapshots-to-keep"] = self.random.choice((0, 1))
        return [update]

    def unknown_ids(self) -> Updates:
        return [
            self.random.choice(
                (
                    {"action": "set-current-schema", "schema-id": 404},
                    {"action": "set-default-spec", "spec-id": 404},
                    {"action": "set-default-sort-order", "sort-order-id": 404},
                )
            )
        ]

    def remove_current(self) -> Updates:
        return [
            self.random.choice(
                (
                    {"action": "remove-schemas", "schema-ids": [self.document["current-schema-id"]]},
                    {"action": "remove-partition-specs", "spec-ids": [self.document["default-spec-id"]]},
                )
            )
        ]

    def bad_version(self) -> Updates:
        return [{"action": "upgrade-format-version", "format-version": self.random.choice((0, 1, 99))}]

    def bad_schema(self) -> Updates:
        columns = self.columns()
        field = columns.field("x")
        fault = self.random.choice(("name", "id", "type", "identifier", "version"))
        fields = [*self.schema["fields"], field]
        schema = {**self.schema, "fields": fields}
        if fault == "name":
            field["name"] = fields[0]["name"]
        elif fault == "id":
            field["id"] = fields[0]["id"]
        elif fault == "type":
            field["type"] = self.random.choice(("text", "decimal(39, 1)", "fixed[]", {"type": "set"}))
        elif fault == "identifier":
            field |= {"type": "double", "required": True}
            schema["identifier-field-ids"] = [field["id"]]
        else:
            field |= {"type": "text" if self.version >= 3 else "timestamp_ns"}
        return [{"action": "add-schema", "schema": schema}]

    def bad_spec(self) -> Updates:
        field = {"name": "bad", "transform": "identity", "source-id": 404, "field-id": 5000}
        name = {**field, "name": "", "source-id": self.schema["fields"][0]["id"], "transform": "void"}
        zero = {**name, "name": "z", "transform": "bucket[0]"}
        chosen = self.random.choice((field, name, zero))
        return [{"action": "add-spec", "spec": {"spec-id": 0, "fields": [chosen]}}]

    def bad_order(self) -> Updates:
        field = {"transform": "identity", "source-id": 404, "direction": "asc", "null-order": "nulls-first"}
        order = self.random.choice(
            (
                {"order-id": 1, "fields": [field]},
                {"order-id": 4, "fields": []},
                {"order-id": 0, "fields": [field]},
            )
        )
        return [{"action": "add-sort-order", "sort-order": order}]

    def last_added_of_nothing(self) -> Updates:
        return [
            self.random.choice(
                (
                    {"action": "set-current-schema", "schema-id": -1},
                    {"action": "set-default-spec", "spec-id": -1},
                    {"action": "set-default-sort-order", "sort-order-id": -1},
                )
            )
        ]

    def bad_shape(self) -> Updates:
        updates = self.random.choice(MOVES)(self)
        if not updates:
            return [{"action": "add-schema"}]
        update = self.random.choice(updates)
        member = self.random.choice([name for name in update if name != "action"])
        if self.random.random() < 0.5 or member in ("updated", "removed", "last-column-id"):
            update[member] = self.random.choice((1.5, [1.5], {"a": 1}))
        else:
            del update[member]
        return updates

    def unknown_action(self) -> Updates:
        return [{"action": self.random.choice(("explode", "set-current-view-version", "add-view-version"))}]

    def other_uuid(self) -> Updates:
        return [{"action": "assign-uuid", "uuid": "00000000-0000-4000-8000-000000000000"}]


Move = Callable[[TableStory], Updates]
WEIGHTED: dict[Move, int] = {
    TableStory.append: 6,
    TableStory.stage: 2,
    TableStory.roll_back: 2,
    TableStory.branch: 2,
    TableStory.tag: 2,
    TableStory.remove_ref: 2,
    TableStory.remove_snapshots: 2,
    TableStory.evolve_schema: 3,
    TableStory.add_equal_schema: 1,
    TableStory.choose_schema: 2,
    TableStory.remove_schemas: 2,
    TableStory.evolve_spec: 3,
    TableStory.choose_spec: 2,
    TableStory.remove_specs: 2,
    TableStory.evolve_order: 3,
    TableStory.choose_order: 2,
    TableStory.assign_same_uuid: 2,
    TableStory.upgrade: 3,
    TableStory.move: 3,
    TableStory.set_properties: 3,
    TableStory.remove_properties: 2,
    TableStory.set_statistics: 2,
    TableStory.remove_statistics: 2,
    TableStory.set_partition_statistics: 2,
    TableStory.remove_partition_statistics: 2,
    TableStory.add_key: 2,
    TableStory.remove_key: 2,
}
MOVES = list(WEIGHTED)
WEIGHTS = list(WEIGHTED.values())
MISTAKES: list[Move] = [
    TableStory.stale_snapshot,
    TableStory.snapshot_twice,
    TableStory.rowless_snapshot,
    TableStory.future_snapshot,
    TableStory.point_nowhere,
    TableStory.tag_main,
    TableStory.bad_retention,
    TableStory.unknown_ids,
    TableStory.remove_current,
    TableStory.bad_version,
    TableStory.bad_schema,
    TableStory.bad_spec,
    TableStory.bad_order,
    TableStory.last_added_of_nothing,
    TableStory.bad_shape,
    TableStory.unknown_action,
    TableStory.other_uuid,
]
