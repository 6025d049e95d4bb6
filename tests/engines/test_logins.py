"""Engines that log in with a client id and secret."""

from pathlib import Path

import pytest

from tests.clients.flink import Flink, running_flink
from tests.clients.go import IcebergGo
from tests.clients.login import login
from tests.clients.program import ClientError
from tests.clients.trino import running_trino, session
from tests.factories import unique_name
from tests.support.identities import Identities, Person
from tests.support.server import TestServer


def test_iceberg_go(secured: TestServer, identities: Identities) -> None:
    go, name = IcebergGo(secured, login("iceberg-go", secured, identities.root)), unique_name("ns")
    go.json("create", "namespace", name)
    assert [name] in go.json("list")["identifiers"]
    stranger = IcebergGo(secured, login("iceberg-go", secured, Person("root", "wrong")))
    with pytest.raises(ClientError, match="invalid_client"):
        stranger.json("list")


def test_trino(secured: TestServer, identities: Identities, tmp_path: Path) -> None:
    more = login("Trino", secured, identities.root)
    space = unique_name("ns")
    with running_trino({"lake": secured}, tmp_path, more) as port, session(port, "lake") as trino:
        trino.rows(f"CREATE SCHEMA lake.{space}")
        trino.rows(f"CREATE TABLE lake.{space}.t AS SELECT 1 AS id UNION ALL SELECT 2")
        assert trino.rows(f"SELECT sum(id) FROM lake.{space}.t") == [(3,)]


def test_flink(secured: TestServer, identities: Identities, tmp_path: Path) -> None:
    more = login("Flink", secured, identities.root)
    space = unique_name("ns")
    with running_flink({"lake": secured}, tmp_path, more) as program:
        flink = Flink(program, "lake")
        flink.rows(f"CREATE DATABASE lake.{space}")
        flink.rows(f"CREATE TABLE lake.{space}.t (id BIGINT)")
        flink.rows(f"INSERT INTO lake.{space}.t VALUES (1), (2)")
        assert flink.rows(f"SELECT sum(id) FROM lake.{space}.t")[-1][-1] == 3
