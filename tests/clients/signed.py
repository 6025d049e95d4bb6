"""Clients that let the catalog sign what they send to the storage."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from tests.clients.page import URL, blocks, fill
from tests.clients.people import Row, RowPeer
from tests.clients.program import Program
from tests.clients.spark import Engine, catalog_options
from tests.support.identities import Person
from tests.support.python import environment
from tests.support.server import TestServer

# In an environment of its own: together with boto3 in theirs, pip would look for versions for ten minutes.
PACKAGES = ("pyiceberg[pyarrow]==0.12.0", "s3fs==2026.9.0")
# A new thread takes the signer away for a moment (docs/remote-signing.md).
ONE_THREAD = {"PYICEBERG_MAX_WORKERS": "1"}
# Run with -P: the folder has a pyiceberg.py of ours.
PROGRAM = Path(__file__).with_name("signed_program.py")


def page(client: str, server: TestServer) -> str:
    return fill(blocks()[client], {URL: server.url})


def signed_spark(session: SparkSession, server: TestServer, name: str, **more: str) -> Engine:
    """Return Spark with a catalog for the server; ``more`` are settings of the catalog."""
    # The first signer of a JVM decides for all of them how they log in, if they do.
    more = {"rest.auth.type": "oauth2", **more}
    options = catalog_options(name, page("spark-signed", server))
    for key, value in (options | {f"spark.sql.catalog.{name}.{key}": more[key] for key in more}).items():
        session.conf.set(key, value)
    return Engine(session, name)


class SignedPyIceberg(RowPeer):
    """PyIceberg with s3fs, whose S3V4RestSigner asks the catalog."""

    name = "PyIceberg, signed"

    def __init__(self, program: Program) -> None:
        self.program = program

    def create(self, namespace: str, table: str) -> None:
        self.program.ask(["create", namespace, table])

    def insert(self, namespace: str, table: str, rows: Sequence[Row]) -> None:
        self.program.ask(["insert", namespace, table, rows])

    def read(self, namespace: str, table: str) -> list[Row]:
        return [tuple(row) for row in self.program.ask(["read", namespace, table])]

    def tables(self, namespace: str) -> set[str]:
        return set(self.program.ask(["tables", namespace]))

    def counts(self, namespace: str, *tables: str) -> list[int]:
        """Load all tables, then count the rows of each of them, twice."""
        return list(self.program.ask(["counts", namespace, *tables]))

    def upload(self, namespace: str, table: str, size: int) -> list[int]:
        """Write a file of ``size`` bytes beside the data, and return its size and the sum of what comes back."""
        return list(self.program.ask(["upload", namespace, table, size]))


@contextmanager
def signed_pyiceberg(
    server: TestServer, folder: Path, person: Person | None = None
) -> Iterator[SignedPyIceberg]:
    """
    :param person: who logs in
    """
    configuration, text = folder / "configuration.py", page("pyiceberg-signed", server)
    login = f'"type": "rest", "credential": "{person.name}:{person.secret}",' if person else '"type": "rest",'
    configuration.write_text(text.replace('"type": "rest",', login))
    with Program([environment(*PACKAGES), "-P", PROGRAM, configuration], folder, ONE_THREAD) as program:
        yield SignedPyIceberg(program)
