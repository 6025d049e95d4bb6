"""Each client sees what the others wrote."""

import pytest

from tests.clients.exchange import Exchange

CLIENTS = ["PyIceberg", "Spark 4.1", "DuckDB", "iceberg-js"]


@pytest.mark.parametrize("reader", CLIENTS)
@pytest.mark.parametrize("writer", CLIENTS)
def test_tables_of_the_others_are_read(exchange: Exchange, writer: str, reader: str) -> None:
    exchange.check(writer, reader)


def test_all_write_into_one_table(exchange: Exchange) -> None:
    exchange.relay()
