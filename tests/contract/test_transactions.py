"""Several tables in one step."""

from typing import Any

import requests

from tests.contract.calls import Tabular, assert_error, at_once, make_table, make_view, no_content, table_path
from tests.factories import schema, set_properties, unique_name
from tests.support.server import Client, TestServer

PATH = "/v1/transactions/commit"


def change(table: Tabular, *updates: dict[str, Any], requirements: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {
        "identifier": {"namespace": [table.namespace], "name": table.name},
        "requirements": list(requirements),
        "updates": list(updates),
    }


def transact(client: Client, *changes: dict[str, Any]) -> requests.Response:
    return client.post(PATH, json={"table-changes": list(changes)})


def test_all_tables_change(client: Client, namespace: str) -> None:
    tables = [make_table(client, namespace) for _ in range(3)]
    no_content(transact(client, *(change(table, set_properties(a="b")) for table in tables)))
    assert [table.metadata["properties"]["a"] for table in tables] == ["b"] * 3


def test_none_changes_when_one_requirement_fails(client: Client, namespace: str) -> None:
    first, second = make_table(client, namespace), make_table(client, namespace)
    files = first.files()
    failing = {"type": "assert-current-schema-id", "current-schema-id": 7}
    answer = transact(
        client,
        change(first, set_properties(a="b")),
        change(second, set_properties(a="b"), requirements=(failing,)),
    )
    assert_error(answer, 409, "CommitFailedException")
    assert "a" not in first.metadata["properties"]
    assert first.files() == files


def test_a_missing_table_fails_all(client: Client, namespace: str, table: Tabular) -> None:
    gone = Tabular(client, namespace, unique_name("t"), "")
    answer = transact(client, change(table, set_properties(a="b")), change(gone, set_properties(a="b")))
    assert_error(answer, 404, "NoSuchTableException")
    assert "a" not in table.metadata["properties"]


def test_a_view_is_no_table(client: Client, namespace: str) -> None:
    view = make_view(client, namespace)
    assert_error(transact(client, change(view, set_properties(a="b"))), 404, "NoSuchTableException")


def test_changes_to_one_table_follow_each_other_and_end_in_one_file(client: Client, table: Tabular) -> None:
    files = len(table.files())
    add = {"action": "add-schema", "schema": schema()}
    steps = [set_properties(a="1"), set_properties(b="2"), set_properties(a="3"), add]
    no_content(transact(client, *(change(table, step) for step in steps)))
    metadata = table.metadata
    assert (metadata["properties"]["a"], metadata["properties"]["b"]) == ("3", "2")
    assert len(metadata["metadata-log"]) == 1
    assert len(table.files()) == files + 1


def test_later_requirements_see_what_earlier_changes_left(client: Client, table: Tabular) -> None:
    ref = {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}
    uuid = {"type": "assert-table-uuid", "uuid": table.metadata["table-uuid"]}
    evolved = [
        {"action": "add-schema", "schema": schema(schema_id=1, **{"identifier-field-ids": [1]})},
        {"action": "set-current-schema", "schema-id": -1},
    ]
    now = {"type": "assert-current-schema-id", "current-schema-id": 1}
    no_content(
        transact(
            client,
            change(table, *evolved, requirements=(uuid, ref)),
            change(table, set_properties(a="b"), requirements=(now,)),
        )
    )
    assert table.metadata["properties"]["a"] == "b"


def test_a_table_is_created_beside_changes(client: Client, namespace: str, table: Tabular) -> None:
    new = Tabular(client, namespace, unique_name("t"), "")
    new.path = table_path(namespace, new.name)
    creation = change(
        new,
        {"action": "add-schema", "schema": schema()},
        {"action": "set-current-schema", "schema-id": -1},
        requirements=({"type": "assert-create"},),
    )
    no_content(
        transact(client, change(table, set_properties(a="b")), creation, change(new, set_properties(c="d")))
    )
    assert new.metadata["properties"]["c"] == "d"
    assert_error(transact(client, creation), 409, "CommitFailedException")


def test_transactions_that_cross_do_not_block_each_other_for_good(server: TestServer, namespace: str) -> None:
    client = server.client()
    tables = [make_table(client, namespace) for _ in range(4)]
    orders = [tables, tables[::-1]] * 4

    def run(order: list[Tabular], number: int) -> requests.Response:
        return transact(server.client(), *(change(t, set_properties(**{f"k{number}": "v"})) for t in order))

    answers = at_once([lambda o=order, n=n: run(o, n) for n, order in enumerate(orders)])
    assert {answer.status_code for answer in answers} <= {204, 409}
    applied = {f"k{n}" for n, answer in enumerate(answers) if answer.status_code == 204}
    for table in tables:
        assert {name for name in table.metadata["properties"] if name.startswith("k")} == applied


def test_an_empty_list_is_refused(client: Client) -> None:
    assert_error(transact(client), 400, "BadRequestException")


def test_a_change_without_identifier_is_refused(client: Client) -> None:
    assert "identifier" in assert_error(transact(client, {"updates": []}), 400, "BadRequestException")
