"""Commits to tables that are refused: malformed, invalid, stale."""

import re
from typing import Any

from tests.contract.bodies import (
    ORDER_FIELD,
    SPEC,
    add_snapshot,
    assert_ref,
    set_ref,
)
from tests.contract.calls import Tabular, assert_error, make_table
from tests.factories import field, schema, set_properties
from tests.support.server import Client

NIL = "00000000-0000-0000-0000-000000000000"

MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"requirements": {}}, "requirements"),
    ({"requirements": [1]}, r"requirements\[0\]"),
    ({"requirements": [{}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-nothing"}]}, r"requirements\[0\]\.type.*assert-nothing"),
    ({"requirements": [{"type": None}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-table-uuid"}]}, r"requirements\[0\]\.uuid"),
    ({"requirements": [{"type": "assert-table-uuid", "uuid": None}]}, r"requirements\[0\]\.uuid"),
    ({"requirements": [{"type": "assert-view-uuid", "uuid": NIL}]}, r"requirements\[0\]\.type"),
    ({"requirements": [{"type": "assert-ref-snapshot-id", "snapshot-id": 1}]}, r"requirements\[0\]\.ref"),
    ({"requirements": [assert_ref("1")]}, r"requirements\[0\]\.snapshot-id"),
    (
        {"requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0.0}]},
        r"requirements\[0\]\.current-schema-id",
    ),
    ({"updates": "x"}, "updates"),
    ({"updates": [None]}, r"updates\[0\]"),
    ({"updates": [{}]}, r"updates\[0\]\.action"),
    ({"updates": [set_properties(a="1"), {"action": "make-coffee"}]}, r"updates\[1\]\.action.*make-coffee"),
    ({"updates": [{"action": "add-view-version", "view-version": {}}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "set-current-view-version", "view-version-id": 1}]}, r"updates\[0\]\.action"),
    ({"updates": [{"action": "assign-uuid"}]}, r"updates\[0\]\.uuid"),
    ({"updates": [{"action": "assign-uuid", "uuid": None}]}, r"updates\[0\]\.uuid"),
    ({"updates": [{"action": "upgrade-format-version"}]}, r"updates\[0\]\.format-version"),
    ({"updates": [{"action": "add-schema"}]}, r"updates\[0\]\.schema"),
    ({"updates": [{"action": "set-current-schema"}]}, r"updates\[0\]\.schema-id"),
    ({"updates": [{"action": "set-current-schema", "schema-id": "1"}]}, r"updates\[0\]\.schema-id"),
    ({"updates": [{"action": "add-spec"}]}, r"updates\[0\]\.spec"),
    ({"updates": [{"action": "set-default-spec"}]}, r"updates\[0\]\.spec-id"),
    ({"updates": [{"action": "add-sort-order"}]}, r"updates\[0\]\.sort-order"),
    ({"updates": [{"action": "set-default-sort-order"}]}, r"updates\[0\]\.sort-order-id"),
    ({"updates": [{"action": "add-snapshot"}]}, r"updates\[0\]\.snapshot"),
    ({"updates": [add_snapshot("1")]}, r"updates\[0\]\.snapshot\.snapshot-id"),  # type: ignore[arg-type]
    ({"updates": [add_snapshot(1, summary={"operation": 1})]}, r"updates\[0\]\.snapshot\.summary"),
    ({"updates": [add_snapshot(1, **{"timestamp-ms": 1.5})]}, r"updates\[0\]\.snapshot\.timestamp-ms"),
    ({"updates": [add_snapshot(2**63)]}, r"updates\[0\]\.snapshot\.snapshot-id"),
    ({"updates": [{"action": "set-snapshot-ref", "ref-name": "x"}]}, r"updates\[0\]"),
    ({"updates": [{"action": "remove-snapshot-ref"}]}, r"updates\[0\]\.ref-name"),
    ({"updates": [{"action": "remove-snapshots"}]}, r"updates\[0\]\.snapshot-ids"),
    ({"updates": [{"action": "set-location"}]}, r"updates\[0\]\.location"),
    ({"updates": [{"action": "set-location", "location": ""}]}, r"updates\[0\]\.location"),
    ({"updates": [{"action": "set-properties"}]}, r"updates\[0\]\.updates"),
    ({"updates": [{"action": "set-properties", "updates": {"a": 1}}]}, r"updates\[0\]\.updates\.a"),
    ({"updates": [{"action": "remove-properties"}]}, r"updates\[0\]\.removals"),
    ({"updates": [{"action": "remove-properties", "removals": "a"}]}, r"updates\[0\]\.removals"),
    ({"updates": [{"action": "set-statistics"}]}, r"updates\[0\]\.statistics"),
    ({"updates": [{"action": "remove-statistics"}]}, r"updates\[0\]\.snapshot-id"),
    ({"updates": [{"action": "set-partition-statistics"}]}, r"updates\[0\]\.partition-statistics"),
    ({"updates": [{"action": "remove-partition-statistics"}]}, r"updates\[0\]\.snapshot-id"),
    ({"updates": [{"action": "remove-partition-specs"}]}, r"updates\[0\]\.spec-ids"),
    ({"updates": [{"action": "remove-schemas"}]}, r"updates\[0\]\.schema-ids"),
    ({"updates": [{"action": "add-encryption-key", "encryption-key": "x"}]}, r"updates\[0\]\.encryption-key"),
    ({"updates": [{"action": "remove-encryption-key"}]}, r"updates\[0\]\.key-id"),
]


def test_malformed_bodies(table: Tabular) -> None:
    for body, names in MALFORMED:
        answer = table.client.post(table.path, json=body)
        assert_error(answer, 400, "BadRequestException", re.compile(names))
    assert len(table.files()) == 1


INVALID: list[tuple[list[dict[str, Any]], str]] = [
    ([{"action": "upgrade-format-version", "format-version": 1}], "downgrade"),
    ([{"action": "upgrade-format-version", "format-version": 4}], "v4"),
    ([{"action": "set-current-schema", "schema-id": 9}], "9"),
    ([{"action": "set-current-schema", "schema-id": -1}], "no schema has been added"),
    ([{"action": "set-default-spec", "spec-id": 9}], "9"),
    ([{"action": "set-default-spec", "spec-id": -1}], "spec"),
    ([{"action": "set-default-sort-order", "sort-order-id": 9}], "9"),
    ([{"action": "set-default-sort-order", "sort-order-id": -1}], "order"),
    ([{"action": "remove-schemas", "schema-ids": [0]}], "current schema"),
    ([{"action": "remove-partition-specs", "spec-ids": [0]}], "default"),
    ([{"action": "add-schema", "schema": schema(field(1, "x"), field(1, "y"))}], "1"),
    ([{"action": "add-schema", "schema": schema(field(1, "x", "variant"))}], "variant"),
    ([{"action": "add-spec", "spec": {"fields": [{**SPEC["fields"][0], "source-id": 9}]}}], "9"),
    ([{"action": "add-spec", "spec": {"fields": [SPEC["fields"][0]] * 2}}], "id_bucket"),
    ([{"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": [ORDER_FIELD]}}], "0"),
    ([add_snapshot(1), add_snapshot(1, 2)], "1"),
    ([set_ref(9)], "unknown snapshot: 9"),
    ([add_snapshot(1), set_ref(1, "main", "tag")], "main"),
    ([add_snapshot(1), set_ref(1, "t", "tag", **{"min-snapshots-to-keep": 1})], "t"),
    ([add_snapshot(1), set_ref(1, "b", **{"max-ref-age-ms": 0})], "max-ref-age-ms"),
    ([set_properties(uuid="x")], "uuid"),
    ([{"action": "set-properties", "updates": {"format-version": "3"}}], "format-version"),
    ([{"action": "set-properties", "updates": {"write.metadata.compression-codec": "lz4"}}], "lz4"),
    ([{"action": "set-location", "location": "file:///etc"}], "file:///etc"),
    ([{"action": "set-properties", "updates": {"write.metadata.path": "file:///etc"}}], "file:///etc"),
    ([{"action": "set-properties", "updates": {"write.data.path": "s3://other/x"}}], "s3://other/x"),
]


def test_invalid_updates(table: Tabular) -> None:
    before = table.load()
    for updates, names in INVALID:
        answer = table.try_commit(set_properties(a="1"), *updates)
        assert answer.status_code == 400, (updates, answer.text)
        error = answer.json()["error"]
        assert error["type"] in {"ValidationException", "IllegalArgumentException", "BadRequestException"}
        assert names.lower() in error["message"].lower(), (updates, error)
    assert table.load() == before
    assert len(table.files()) == 1


def test_stale_sequence_number(busy: Tabular) -> None:
    files = busy.files()
    answer = busy.try_commit(add_snapshot(2, 1, **{"parent-snapshot-id": 1}))
    assert_error(answer, 409, "CommitFailedException", re.compile("sequence number"))
    assert busy.files() == files


def test_stale_row_id(client: Client, namespace: str) -> None:
    table = make_table(client, namespace, properties={"format-version": "3"})
    rows = {"first-row-id": 0, "added-rows": 10}
    assert table.commit(add_snapshot(1, 1, **rows))["next-row-id"] == 10
    answer = table.try_commit(add_snapshot(2, 2, **rows))
    assert_error(answer, 409, "CommitFailedException", re.compile("first-row-id"))
    assert_error(table.try_commit(add_snapshot(2, 2)), 400, "ValidationException", re.compile("first-row-id"))
