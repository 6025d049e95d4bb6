"""Objects that contract tests start from."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import official
from tests.conformance.both_ways import FOLDER, ONCE, BothWays
from tests.conftest import SHARED, MakeServer
from tests.contract.bodies import append, set_ref
from tests.contract.calls import Tabular, make_table, make_view
from tests.contract.fuzzing import Corpus
from tests.contract.holding import DAY, set_hold
from tests.contract.managed import Grounds
from tests.contract.wire import assert_nothing_half_done
from tests.support.contract import Contract, Outer
from tests.support.exchanges import OBSERVERS
from tests.support.minio import Minio
from tests.support.own_document import own_document
from tests.support.recording import FAILED, RECORDING, Recording
from tests.support.server import STOPPING, Client, TestServer


@pytest.fixture(scope="session")
def holding(make_server: MakeServer) -> Iterator[TestServer]:
    """A server whose default warehouse holds what is dropped for a day."""
    with make_server() as running:
        set_hold(running, DAY)
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def without_hold(holding: TestServer) -> Iterator[None]:
    """For the time of a test that server holds nothing."""
    set_hold(holding, None)
    yield
    set_hold(holding, DAY)


@pytest.fixture(scope="session")
def grounds(minio: Minio) -> Iterator[Grounds]:
    """What ``managed`` is given."""
    given = Grounds(minio.endpoint)
    given.put_secret("minio", minio)
    yield given
    given.remove()


@pytest.fixture(scope="session")
def managed(make_server: MakeServer, grounds: Grounds) -> Iterator[TestServer]:
    """A server that may create warehouses: local ones in a folder, others on MinIO."""
    with make_server(settings=grounds.settings()) as running:
        SHARED.append(running)
        yield running
        SHARED.remove(running)


@pytest.fixture
def manager(managed: TestServer) -> Iterator[Client]:
    """An HTTP session to it."""
    with Client(managed.url) as session:
        yield session


@pytest.fixture(scope="module")
def corpus(make_server: MakeServer) -> Iterator[Corpus]:
    with make_server(settings={"server.read_timeout": "2s"}) as server:
        yield Corpus(server)


@pytest.fixture
def whole(corpus: Corpus) -> Iterator[None]:
    """After each corpus the server still works, nothing is half done, and not everything was refused."""
    corpus.outcomes.clear()
    yield
    assert_nothing_half_done(corpus.server)
    corpus.ensure()
    assert any(status >= 400 for status in corpus.outcomes), corpus.outcomes


@pytest.fixture(scope="session", autouse=True)
def recording() -> Iterator[Recording]:
    """Every request that is not refused and every answer keeps to the service's own document.

    ``make conformance`` lets the official document judge too, and keeps what was seen in the file ``RECORDING``.
    """
    judges = {"own document": Contract(own_document())}
    if folder := os.environ.get(RECORDING):
        judges["official document"] = Outer(official.load(official.find()))
    recording = Recording(judges)
    OBSERVERS.append(recording.observe)
    yield recording
    OBSERVERS.remove(recording.observe)
    if folder:
        recording.write(Path(folder))


@pytest.fixture(scope="session", autouse=True)
def both_ways() -> Iterator[BothWays]:
    """``make conformance BOTH_WAYS=true`` sends requests once more by both ways and compares the answers."""
    both, folder = BothWays(), os.environ.get(FOLDER)
    if folder is None:
        yield both
        return
    OBSERVERS.append(both.observe)
    STOPPING.append(both.stopping)
    yield both
    OBSERVERS.remove(both.observe)
    STOPPING.remove(both.stopping)
    both.write(Path(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ONCE.update(item.nodeid for item in items if item.get_closest_marker("once"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        FAILED.add(item.nodeid)
    return report


@pytest.fixture(autouse=True)
def leniency(request: pytest.FixtureRequest, recording: Recording) -> Iterator[None]:
    """Excuse the requests of a test that is marked ``lenient``."""
    if request.node.get_closest_marker("lenient"):
        recording.excuse = request.node.nodeid.partition("[")[0]
        recording.excused.setdefault(recording.excuse, False)
    yield
    recording.excuse = ""


@pytest.fixture
def table(client: Client, namespace: str) -> Tabular:
    """A new table with the columns ``id`` and ``name``."""
    return make_table(client, namespace)


@pytest.fixture
def view(client: Client, namespace: str) -> Tabular:
    """A new view with one query in the dialect ``spark``."""
    return make_view(client, namespace)


@pytest.fixture
def busy(client: Client, namespace: str) -> Tabular:
    """A table with snapshots, a branch and a tag."""
    table = make_table(client, namespace)
    table.commit(*append(1, 1), set_ref(1, "b"), set_ref(1, "t", "tag"))
    return table
