"""A client of a load that is PyIceberg: every commit appends a row and sets a property."""

import errno
import time
from contextlib import closing

import pyarrow as pa
import requests
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table

from tests.load.clients import LoadClient
from tests.load.history import Outcome, Sight

ROW = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])
OUTCOMES: list[tuple[type[Exception], Outcome]] = [
    (CommitFailedException, Outcome.REFUSED),
    (ServiceUnavailableError, Outcome.REFUSED),
    (TooManyRequestsError, Outcome.REFUSED),
    (CommitStateUnknownException, Outcome.UNKNOWN),
    (requests.RequestException, Outcome.UNKNOWN),
]
EXCUSED = tuple(kind for kind, _ in OUTCOMES)


class PyIcebergClient(LoadClient):
    """Appends to the first table."""

    kind = "pyiceberg"

    def open(self) -> None:
        self.catalogs = self.connect()

    def connect(self) -> list[Catalog]:
        own = {"token": self.target.token} if self.target.token else {}
        properties = {**self.target.warehouse.client_properties(), **own}
        return [load_catalog("load", type="rest", uri=url, **properties) for url in self.target.urls]

    def close(self) -> None:
        for catalog in self.catalogs:
            catalog.close()

    def rows(self) -> list[int]:
        """Return the numbers of this client's rows, read from the data files."""
        with closing(self.connect()[0]) as catalog:
            table = catalog.load_table((self.history.namespace, self.target.tables[0]))
            found = table.scan(EqualTo("name", self.name)).to_arrow()
        return sorted(found.column("id").to_pylist())

    def act(self) -> bool:
        catalog = self.chance.choice(self.catalogs)
        began = time.monotonic()
        try:
            table = catalog.load_table((self.history.namespace, self.target.tables[0]))
        except EXCUSED as error:
            self.history.count("pyiceberg load", type(error).__name__)
            return False
        self.saw(table, began)
        return self.append(table)

    def saw(self, table: Table, began: float) -> None:
        self.history.count("pyiceberg load", 200)
        name, ended = self.target.tables[0], time.monotonic()
        self.history.sights.append(
            Sight(name, began, ended, True, table.metadata_location, dict(table.metadata.properties))
        )
        self.last_sight = began

    def append(self, table: Table) -> bool:
        number, began, location = self.next_number(), time.monotonic(), None
        row = pa.table({"id": [number], "name": [self.name]}, schema=ROW)
        try:
            with table.transaction() as change:
                change.append(row)
                change.set_properties({self.name: str(number)})
        except EXCUSED as error:
            outcome = next(outcome for kind, outcome in OUTCOMES if isinstance(error, kind))
            self.history.count("pyiceberg commit", type(error).__name__)
        except OSError as error:  # its own data file did not fit: it has asked for nothing yet
            if error.errno != errno.ENOSPC:
                raise
            outcome = Outcome.REFUSED
            self.history.count("pyiceberg data file", "ENOSPC")
        else:
            outcome, location = Outcome.DONE, table.metadata_location
            self.history.count("pyiceberg commit", 200)
        return self.committed((self.target.tables[0],), began, outcome, number=number, location=location)
