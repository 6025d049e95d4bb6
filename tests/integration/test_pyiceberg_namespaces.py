"""Namespaces through PyIceberg."""

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NamespaceNotEmptyError, NoSuchNamespaceError

from tests.factories import unique_name
from tests.integration.shapes import PEOPLE


def test_namespace_is_created_listed_and_dropped(catalog: Catalog) -> None:
    name = unique_name("ns")
    catalog.create_namespace(name, {"owner": "ada", "comment": "größer 🧊"})

    assert (name,) in catalog.list_namespaces()
    assert catalog.namespace_exists(name)
    properties = catalog.load_namespace_properties(name)
    assert (properties["owner"], properties["comment"]) == ("ada", "größer 🧊")

    catalog.drop_namespace(name)
    assert not catalog.namespace_exists(name)
    assert (name,) not in catalog.list_namespaces()


def test_creating_it_twice_is_a_conflict(catalog: Catalog, space: str) -> None:
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace(space)
    catalog.create_namespace_if_not_exists(space)


def test_unknown_namespace(catalog: Catalog) -> None:
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties("nowhere")
    with pytest.raises(NoSuchNamespaceError):
        catalog.drop_namespace("nowhere")
    with pytest.raises(NoSuchNamespaceError):
        catalog.list_tables("nowhere")


def test_nested_namespaces_are_listed_level_by_level(catalog: Catalog, space: str) -> None:
    catalog.create_namespace((space, "inner"))
    catalog.create_namespace((space, "inner", "most"))

    assert catalog.list_namespaces(space) == [(space, "inner")]
    assert catalog.list_namespaces((space, "inner")) == [(space, "inner", "most")]
    assert all(len(name) == 1 for name in catalog.list_namespaces())


@pytest.mark.parametrize("level", ["with space", "dot.ted", "ünïcödé", "數據", "a/b", "a%2Fb", "plus+", "🧊"])
def test_any_unicode_name(catalog: Catalog, space: str, level: str) -> None:
    catalog.create_namespace((space, level))
    assert catalog.list_namespaces((space,)) == [(space, level)]
    assert catalog.namespace_exists((space, level))
    catalog.drop_namespace((space, level))
    assert not catalog.namespace_exists((space, level))


def test_properties_are_updated(catalog: Catalog, space: str) -> None:
    catalog.update_namespace_properties(space, updates={"a": "1", "b": "2"})
    summary = catalog.update_namespace_properties(
        space, removals={"a", "absent"}, updates={"b": "3", "c": "4"}
    )

    assert (summary.removed, sorted(summary.updated), summary.missing) == (["a"], ["b", "c"], ["absent"])
    properties = catalog.load_namespace_properties(space)
    assert "a" not in properties
    assert (properties["b"], properties["c"]) == ("3", "4")


def test_namespace_with_content_is_not_dropped(catalog: Catalog, space: str) -> None:
    catalog.create_table((space, "t"), PEOPLE)
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(space)
    catalog.drop_table((space, "t"))
    catalog.create_namespace((space, "child"))
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(space)


def test_list_in_pages(catalog: Catalog, space: str) -> None:
    names = [(space, f"n{number:02}") for number in range(7)]
    for name in names:
        catalog.create_namespace(name)
    catalog.properties["rest-page-size"] = "3"
    try:
        assert catalog.list_namespaces(space) == names
    finally:
        del catalog.properties["rest-page-size"]
