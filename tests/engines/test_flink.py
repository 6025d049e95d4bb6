"""Databases and tables through Flink's SQL."""

import pytest

from tests.clients.flink import Flink
from tests.clients.program import ClientError
from tests.factories import unique_name


@pytest.fixture
def space(flink: Flink) -> str:
    """A database of this test."""
    name = unique_name("ns")
    flink.rows(f"CREATE DATABASE {flink.catalog}.{name}")
    flink.rows(f"USE CATALOG {flink.catalog}")
    flink.rows(f"USE {name}")
    return name


def databases(flink: Flink) -> set[str]:
    return {name for (name,) in flink.rows("SHOW DATABASES")}


def test_life_of_a_database(flink: Flink, space: str) -> None:
    name = unique_name("ns")
    flink.rows(f"CREATE DATABASE {name}")
    flink.rows(f"CREATE DATABASE IF NOT EXISTS {name}")
    with pytest.raises(ClientError, match="already exists"):
        flink.rows(f"CREATE DATABASE {name}")
    assert databases(flink) >= {name, space}

    flink.rows(f"CREATE TABLE {name}.t (id BIGINT)")
    with pytest.raises(ClientError, match="is not empty"):
        flink.rows(f"DROP DATABASE {name} RESTRICT")
    flink.rows(f"DROP TABLE {name}.t")
    flink.rows(f"DROP DATABASE {name} RESTRICT")
    assert name not in databases(flink)


def test_create_insert_and_read(flink: Flink, space: str) -> None:
    flink.rows("CREATE TABLE t (id BIGINT, part STRING, score DOUBLE) PARTITIONED BY (part) WITH ('k' = 'v')")
    with pytest.raises(ClientError, match="already exists"):
        flink.rows("CREATE TABLE t (id BIGINT)")
    flink.rows("INSERT INTO t VALUES (1, 'a', 0.5), (2, 'größe', 1.5), (3, 'a', CAST(NULL AS DOUBLE))")
    flink.rows("INSERT INTO t SELECT id + 10, part, score FROM t WHERE part = 'a'")
    assert flink.rows("SELECT part, COUNT(*), SUM(id) FROM t GROUP BY part ORDER BY part") == [
        ("a", 4, 28),
        ("größe", 1, 2),
    ]
    flink.rows("INSERT OVERWRITE t SELECT id, part, score FROM t WHERE id = 1")
    assert flink.rows("SELECT id, part FROM t ORDER BY id") == [(1, "a"), (2, "größe")]


def test_create_table_as_and_like(flink: Flink, space: str) -> None:
    flink.rows("CREATE TABLE a AS SELECT CAST(id AS BIGINT) AS id FROM (VALUES (1), (2)) AS s (id)")
    flink.rows("CREATE TABLE b LIKE a")
    flink.rows("ALTER TABLE b RENAME TO c")
    flink.rows("ALTER TABLE c ADD (score DOUBLE)")
    flink.rows("ALTER TABLE c SET ('k' = 'v')")
    flink.rows("INSERT INTO c SELECT id, 0.5 FROM a")
    assert flink.rows("SELECT * FROM c ORDER BY id") == [(1, 0.5), (2, 0.5)]
    assert flink.tables(space) == {"a", "c"}


def test_upsert(flink: Flink, space: str) -> None:
    flink.rows(
        "CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED)"
        " WITH ('format-version' = '2', 'write.upsert.enabled' = 'true')"
    )
    flink.rows("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    flink.rows("INSERT INTO t VALUES (1, 'c')")
    assert flink.rows("SELECT * FROM t ORDER BY id") == [(1, "c"), (2, "b")]


def test_drop(flink: Flink, space: str) -> None:
    flink.rows("CREATE TABLE t (id BIGINT)")
    flink.rows("DROP TABLE t")
    flink.rows("DROP TABLE IF EXISTS t")
    with pytest.raises(ClientError, match="does not exist"):
        flink.rows("DROP TABLE t")
    assert flink.tables(space) == set()


def test_foreign_names(flink: Flink, space: str) -> None:
    for name in ("a b", "a/b", "a%2Fb", "größe 你好", "a+b", "select"):
        flink.rows(f"CREATE TABLE `{name}` (id BIGINT)")
        assert flink.tables(space) == {name}
        flink.rows(f"DROP TABLE `{name}`")
