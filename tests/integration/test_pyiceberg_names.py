"""Odd names through PyIceberg, in every place where a user may choose one."""

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog

from tests.contract.calls import namespace_path, ok, segment
from tests.integration.odd_names import NAMES
from tests.support.server import Client, TestServer


@pytest.mark.parametrize("name", NAMES)
def test_name_in_every_position(catalog: Catalog, any_server: TestServer, space: str, name: str) -> None:
    """What PyIceberg writes is what a plain HTTP client reads, and PyIceberg itself."""
    level, identifier = (space, name), (space, name, name)
    catalog.create_namespace(level, {name: name})
    rows = pa.table({name: pa.array([1, 2])})
    table = catalog.create_table(identifier, rows.schema, properties={name: name})
    table.append(rows)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    table.manage_snapshots().create_branch(snapshot.snapshot_id, name).commit()
    table.manage_snapshots().create_tag(snapshot.snapshot_id, f"tag {name}").commit()

    with Client(any_server.url) as client:
        path = namespace_path(*level)
        loaded = ok(client.get(path))
        assert loaded["namespace"] == list(level)
        assert loaded["properties"][name] == name
        assert ok(client.get(f"{path}/tables"))["identifiers"] == [{"namespace": list(level), "name": name}]
        metadata = ok(client.get(f"{path}/tables/{segment(name)}"))["metadata"]
    assert metadata["properties"][name] == name
    assert set(metadata["refs"]) == {"main", name, f"tag {name}"}
    assert metadata["schemas"][0]["fields"][0]["name"] == name

    assert catalog.list_namespaces(space) == [level]
    assert catalog.list_tables(level) == [identifier]
    again = catalog.load_table(identifier)
    assert again.scan().to_arrow().column(name).to_pylist() == [1, 2]
    assert set(again.refs()) == {"main", name, f"tag {name}"}

    renamed = (*level, f"{name} 2")
    catalog.rename_table(identifier, renamed)
    assert catalog.list_tables(level) == [renamed]
    catalog.drop_table(renamed)
    catalog.drop_namespace(level)
    assert not catalog.namespace_exists(level)
