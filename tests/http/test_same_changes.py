"""Every answer to a change is the same by both ways, byte for byte but for times and what the service makes up."""

import pytest

from tests.factories import unique_name
from tests.http.changes import Teller, Writer, tell
from tests.http.reads import BARE, WRITERS
from tests.http.world import Ways

FRAMINGS = [*(Writer(client, "whole") for client in WRITERS), Writer(BARE, "apart"), Writer(BARE, "chunked")]


def told(port: int, token: str, space: str, writer: Writer) -> list[tuple[str, bytes]]:
    teller = Teller(port, token, space, writer)
    try:
        tell(teller.say, space)
    finally:
        teller.close()
    return teller.answers


@pytest.mark.parametrize("writer", FRAMINGS, ids=lambda writer: f"{writer.client}-{writer.framing}")
def test_same_story(ways: Ways, writer: Writer) -> None:
    """Told to the hot way, and to gunicorn and Flask on names that are as long."""
    name = unique_name()
    hot, stock = f"hot_{name}", f"old_{name}"
    expected = told(ways.stock.port, ways.token, stock, writer)
    for answer, other in zip(told(ways.hot.port, ways.token, hot, writer), expected, strict=True):
        assert answer == other
