"""Rename of tables and of views: the same rules for both."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
)
from tests.factories import set_properties, unique_name
from tests.support.server import Client


@dataclass
class Kind:
    """What differs between the two."""

    title: str
    route: str
    make: Callable[..., Tabular]

    def rename(self, client: Client, source: tuple[str, str], destination: tuple[str, str]) -> Any:
        return client.post(f"/v1/{self.route}/rename", json=rename_request(source, destination))

    def moved(self, old: Tabular, namespace: str, name: str) -> Tabular:
        path = f"{namespace_path(namespace)}/{self.route}/{name}"
        return Tabular(old.client, namespace, name, path)

    def assert_missing(self, answer: Any, namespace: str, name: str) -> None:
        assert_error(
            answer, 404, f"NoSuch{self.title}Exception", f"{self.title} does not exist: {namespace}.{name}"
        )


KINDS = [Kind("Table", "tables", make_table), Kind("View", "views", make_view)]


@pytest.fixture(params=KINDS, ids=["table", "view"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def old(kind: Kind, client: Client, namespace: str) -> Tabular:
    return kind.make(client, namespace)


def test_within_a_namespace(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    before, name = old.load(), unique_name("new")
    no_content(kind.rename(client, (namespace, old.name), (namespace, name)))
    assert kind.moved(old, namespace, name).load() == before
    kind.assert_missing(client.get(old.path), namespace, old.name)
    identifiers = ok(client.get(f"{namespace_path(namespace)}/{kind.route}"))["identifiers"]
    assert identifiers == [{"namespace": [namespace], "name": name}]


def test_into_another_namespace(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    other, before = make_namespace(client), old.load()
    no_content(kind.rename(client, (namespace, old.name), (other, old.name)))
    new = kind.moved(old, other, old.name)
    assert new.load() == before
    new.commit(set_properties(a="1"))
    no_content(client.delete(namespace_path(namespace)))


def test_the_old_name_is_free(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    location = old.metadata["location"]
    no_content(kind.rename(client, (namespace, old.name), (namespace, unique_name("new"))))
    again = kind.make(client, namespace, old.name)
    assert again.metadata["location"] != location


def test_missing_source(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    none = unique_name("none")
    for space in (namespace, none):
        for destination in ((namespace, "new"), (none, "new"), (namespace, old.name), (space, "none")):
            answer = kind.rename(client, (space, "none"), destination)
            kind.assert_missing(answer, space, "none")


def test_missing_destination_namespace(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    none = unique_name("none")
    answer = kind.rename(client, (namespace, old.name), (none, old.name))
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {none}")
    no_content(client.head(old.path))


def test_onto_itself(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    no_content(kind.rename(client, (namespace, old.name), (namespace, old.name)))
    no_content(client.head(old.path))


@pytest.mark.parametrize("other", KINDS, ids=["onto_table", "onto_view"])
def test_onto_a_taken_name(kind: Kind, other: Kind, client: Client, namespace: str, old: Tabular) -> None:
    taken = other.make(client, namespace)
    answer = kind.rename(client, (namespace, old.name), (namespace, taken.name))
    message = assert_error(answer, 409, "AlreadyExistsException")
    assert other.title in message
    assert "already exists" in message
    if kind.title == "View":
        source, destination = f"{namespace}.{old.name}", f"{namespace}.{taken.name}"
        assert message == f"Cannot rename {source} to {destination}. {other.title} already exists"
    no_content(client.head(old.path))


def test_of_the_other_kind(kind: Kind, client: Client, namespace: str) -> None:
    (other,) = [item for item in KINDS if item is not kind]
    name = other.make(client, namespace).name
    kind.assert_missing(kind.rename(client, (namespace, name), (namespace, "new")), namespace, name)


def test_chain(kind: Kind, client: Client, namespace: str, old: Tabular) -> None:
    names = [old.name, *(unique_name("n") for _ in range(3))]
    for source, destination in zip(names, [*names[1:], names[0]], strict=True):
        no_content(kind.rename(client, (namespace, source), (namespace, destination)))
    no_content(client.head(old.path))


MALFORMED = [
    ({}, "source"),
    ({"source": None}, "source"),
    ({"source": "a.b"}, "source"),
    ({"source": {"namespace": ["a"]}}, r"source\.name"),
    ({"source": {"name": "a"}}, r"source\.namespace"),
    ({"source": {"namespace": [], "name": "a"}}, r"source\.namespace"),
    ({"source": {"namespace": ["a"], "name": ""}}, r"source\.name"),
    ({"source": {"namespace": ["a"], "name": "a\u001fb"}}, r"source\.name"),
    ({"source": {"namespace": "a", "name": "b"}}, r"source\.namespace"),
    ({"source": {"namespace": ["a"], "name": "b"}}, "destination"),
]


@pytest.mark.parametrize(("body", "names"), MALFORMED)
def test_malformed_body(kind: Kind, client: Client, body: dict[str, Any], names: str) -> None:
    if names != "destination":
        body = {**body, "destination": {"namespace": ["a"], "name": "b"}}
    answer = client.post(f"/v1/{kind.route}/rename", json=body)
    assert_error(answer, 400, "BadRequestException", re.compile(names))
