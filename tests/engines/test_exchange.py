"""Each client sees what the others wrote."""

import pytest

from tests.clients.exchange import Exchange

FIRST = [
    "PyIceberg",
    "Spark 4.1",
    "DuckDB",
    "iceberg-js",
]  # what they write for each other is in tests/integration
HERE = ["Trino", "Spark 3.5", "Flink", "iceberg-go"]
PAIRS = [
    (writer, reader) for writer in FIRST + HERE for reader in FIRST + HERE if {writer, reader} & set(HERE)
]


@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_tables_of_the_others_are_read(exchange: Exchange, writer: str, reader: str) -> None:
    exchange.check(writer, reader)


def test_all_write_into_one_table(exchange: Exchange) -> None:
    exchange.relay()
