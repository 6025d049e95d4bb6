"""What one client wrote, the others see."""

from collections.abc import Iterable

from tests.clients.people import ROWS, DefinitionPeer, Peer, Row, RowPeer
from tests.factories import unique_name
from tests.support.server import TestServer


class Exchange:
    """A namespace of one server in which every client has a table of its own."""

    def __init__(self, server: TestServer, peers: Iterable[Peer]) -> None:
        self.peers = {peer.name: peer for peer in peers}
        self.namespace = unique_name("exchange")
        answer = server.client().post("/v1/namespaces", json={"namespace": [self.namespace]})
        assert answer.status_code == 200, answer.text
        self.made: dict[str, str] = {}

    def table_of(self, writer: Peer) -> str:
        """Return the table that the client made and, if it can, filled: half of the rows in each of two commits."""
        if writer.name not in self.made:
            table = unique_name("people")
            writer.create(self.namespace, table)
            if isinstance(writer, RowPeer):
                writer.insert(self.namespace, table, ROWS[:2])
                writer.insert(self.namespace, table, ROWS[2:])
            self.made[writer.name] = table
        return self.made[writer.name]

    def check(self, writer: str, reader: str) -> None:
        """Assert that one client sees the other's table with all its rows."""
        expected = ROWS if isinstance(self.peers[writer], RowPeer) else []
        table = self.table_of(self.peers[writer])
        self.sees(self.peers[reader], table, expected)
        assert table in self.peers[reader].tables(self.namespace)

    def relay(self) -> None:
        """Assert that all write into one table after one another, each seeing all that was written before it."""
        table = unique_name("relay")
        writers = [peer for peer in self.peers.values() if isinstance(peer, RowPeer)]
        writers[0].create(self.namespace, table)
        rows = [(number, peer.name, "1.50", "2013-01-01", False) for number, peer in enumerate(writers)]
        for number, writer in enumerate(writers):
            self.sees(writer, table, rows[:number])
            writer.insert(self.namespace, table, [rows[number]])
        for peer in self.peers.values():
            self.sees(peer, table, rows)

    def sees(self, peer: Peer, table: str, rows: list[Row]) -> None:
        if isinstance(peer, RowPeer):
            assert peer.read(self.namespace, table) == rows
        else:
            assert isinstance(peer, DefinitionPeer)
            assert peer.count(self.namespace, table) == len(rows)
