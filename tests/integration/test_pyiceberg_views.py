"""Views through PyIceberg: what 0.12 offers (create, load, list, exists, register, drop)."""

import time

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import (
    NoSuchTableError,
    NoSuchViewError,
    TableAlreadyExistsError,
    ViewAlreadyExistsError,
)
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

from tests.integration.shapes import PEOPLE
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import same_place


def version(space: str, **sql: str) -> ViewVersion:
    """Return a first version with one representation per dialect."""
    representations = [
        SQLViewRepresentation(type="sql", sql=text, dialect=name) for name, text in sql.items()
    ]
    return ViewVersion(
        version_id=1,
        schema_id=0,
        timestamp_ms=int(time.time() * 1000),
        summary={"engine-name": "test"},
        representations=representations,
        default_namespace=[space],
    )


def test_life_of_a_view(catalog: Catalog, space: str, any_server: TestServer) -> None:
    sql = {"spark": "SELECT id FROM people", "trino": 'SELECT "id" FROM people'}
    created = catalog.create_view(
        (space, "v"), PEOPLE, version(space, **sql), properties={"comment": "größe"}
    )

    assert catalog.list_views(space) == [(space, "v")]
    assert catalog.view_exists((space, "v"))
    loaded = catalog.load_view((space, "v"))
    assert loaded.metadata == created.metadata
    assert {dialect: loaded.sql_for(dialect).sql for dialect in sql} == sql
    assert loaded.schema().as_struct() == PEOPLE.as_struct()
    assert loaded.properties["comment"] == "größe"
    assert [entry.version_id for entry in loaded.history()] == [1]
    assert same_place(loaded.location()).startswith(any_server.warehouse.location + "/")

    catalog.drop_view((space, "v"))
    assert catalog.list_views(space) == []
    assert not catalog.view_exists((space, "v"))
    with pytest.raises(NoSuchViewError):
        catalog.drop_view((space, "v"))


def test_views_and_tables_share_their_names(catalog: Catalog, space: str) -> None:
    catalog.create_view((space, "v"), PEOPLE, version(space, spark="SELECT 1"))
    catalog.create_table((space, "t"), PEOPLE)
    with pytest.raises(ViewAlreadyExistsError):
        catalog.create_view((space, "v"), PEOPLE, version(space, spark="SELECT 1"))
    with pytest.raises(ViewAlreadyExistsError):
        catalog.create_view((space, "t"), PEOPLE, version(space, spark="SELECT 1"))
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((space, "v"), PEOPLE)


def test_each_is_absent_on_the_routes_of_the_other(catalog: Catalog, space: str) -> None:
    catalog.create_view((space, "v"), PEOPLE, version(space, spark="SELECT 1"))
    catalog.create_table((space, "t"), PEOPLE)
    assert catalog.list_tables(space) == [(space, "t")]
    assert catalog.list_views(space) == [(space, "v")]
    assert not catalog.table_exists((space, "v"))
    assert not catalog.view_exists((space, "t"))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "v"))
    with pytest.raises(NoSuchViewError):
        catalog.load_view((space, "t"))


def test_metadata_of_a_view_is_a_file(catalog: Catalog, space: str, any_server: TestServer) -> None:
    view = catalog.create_view((space, "v"), PEOPLE, version(space, spark="SELECT 1"))
    prefix = same_place(view.location()) + "/metadata/"
    eventually(
        lambda: any(f.startswith(prefix) for f in any_server.warehouse.files()), 5, "the view has a file"
    )
