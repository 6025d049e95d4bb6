"""TLS on the port: what is refused, what changes while it runs, and everything else as without it."""

import http.client
import os
import signal
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest
import requests
from pyiceberg.catalog import load_catalog

from tests.conftest import MakeServer
from tests.e2e.test_drain import read_answer, send_get
from tests.support.certificates import DAY, Authority, Pair
from tests.support.identities import Identities, secured_settings
from tests.support.process import eventually
from tests.support.server import TestServer

QUICK = {"server.tls.handshake_timeout": "2s", "server.read_timeout": "1s", "limits.max_url_length": "1KiB"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("server")


@pytest.fixture(scope="module")
def secured(make_server: MakeServer, authority: Authority, pair: Pair):
    with make_server(settings=pair.settings() | QUICK, verify=authority.file) as running:
        yield running


def connect(server: TestServer, **versions: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=server.verify)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions that are tried on purpose
        for name, version in versions.items():
            setattr(context, name, version)
    if versions:
        context.set_ciphers("ALL:@SECLEVEL=0")
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=40)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except OSError:
        plain.close()
        raise


def serial_number(server: TestServer) -> str:
    with connect(server) as connection:
        return str(connection.getpeercert()["serialNumber"])


def test_the_catalog_over_tls(secured: TestServer):
    with secured.client() as client:
        for _ in range(3):
            answer = client.get("/v1/config")
            assert answer.status_code == 200
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert client.post("/v1/namespaces", json={"namespace": ["tls"]}).status_code == 200
        large = {f"key{number}": "x" * 60_000 for number in range(100)}
        assert client.post("/v1/namespaces/tls/properties", json={"updates": large}).status_code == 200
        assert len(client.get("/v1/namespaces/tls").content) > 6_000_000


def test_nobody_is_served_who_does_not_verify_another_authority(secured: TestServer):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secured.url + "/health", timeout=10)


def test_the_log_names_address_and_certificate(secured: TestServer, pair: Pair):
    [line] = [line for line in secured.logs() if line["msg"] == "server listening"]
    assert line["address"] == f"https://127.0.0.1:{secured.port}"
    assert line["cert_file"] == str(pair.cert)
    assert not [line for line in secured.logs() if line["level"] == "ERROR"]


def test_old_versions_are_refused(secured: TestServer):
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        connect(secured, minimum_version=ssl.TLSVersion.TLSv1_1, maximum_version=ssl.TLSVersion.TLSv1_1)
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with connect(secured, minimum_version=version, maximum_version=version) as connection:
            assert connection.version() == name
            send_get(connection, "/health")
            assert read_answer(connection)[0] == 200


def test_plain_http_on_the_tls_port_is_told_so(secured: TestServer):
    plain = http.client.HTTPConnection("127.0.0.1", secured.port, timeout=10)
    plain.request("GET", "/v1/config")
    answer = plain.getresponse()
    assert answer.status == 400
    assert b"https://" in answer.read()
    assert answer.headers["Strict-Transport-Security"] is None
    plain.close()


def test_slow_handshakes_hold_nobody_up_and_end(secured: TestServer):
    slow = [socket.create_connection(("127.0.0.1", secured.port), timeout=10) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"\x16\x03\x01\x02\x00")
    began = time.monotonic()
    with secured.client() as client:
        assert client.get("/v1/config").status_code == 200
    assert time.monotonic() - began < 2
    for connection in slow:
        while connection.recv(4096):
            pass
        connection.close()
    assert 1.9 < time.monotonic() - began < 20


def test_garbage_for_a_handshake_ends_cleanly(secured: TestServer):
    with socket.create_connection(("127.0.0.1", secured.port), timeout=10) as connection:
        connection.sendall(b"\x16" + os.urandom(500))
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass  # unread bytes: the kernel says so
    with secured.client() as client:
        assert client.get("/health").status_code == 200


def test_limits_hold_over_tls(secured: TestServer):
    with connect(secured) as connection:
        send_get(connection, "/" + "x" * 2000)
        status, headers, body = read_answer(connection)
        assert (status, headers["strict-transport-security"]) == (414, "max-age=31536000")
        assert b"limits.max_url_length" in body
        assert connection.recv(1) == b""  # with a close_notify: anything else would raise
    with connect(secured) as connection:
        connection.sendall(b"GET /v1/config HT")
        assert read_answer(connection)[0] == 408


def test_pipelined_requests_and_those_in_pieces(secured: TestServer):
    with connect(secured) as connection:
        send_get(connection, "/health")
        send_get(connection, "/health")
        received = b""
        while received.count(b'"healthy"') < 2:
            received += connection.recv(65536)
        for byte in b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_answer(connection)[0] == 200


def test_only_1_3_when_asked_for(make_server: MakeServer, authority: Authority, pair: Pair):
    settings = pair.settings() | {"server.tls.min_version": "1.3", "server.workers": 1}
    with make_server(settings=settings, verify=authority.file) as running:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            connect(running, maximum_version=ssl.TLSVersion.TLSv1_2)
        with connect(running) as connection:
            assert connection.version() == "TLSv1.3"


Rotating = tuple[TestServer, Authority, Pair]


@pytest.fixture(scope="module")
def rotating(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory):
    """A server whose files tests may replace; each leaves a good pair behind."""
    authority = Authority(tmp_path_factory.mktemp("rotating"))
    pair = authority.issue("server")
    with make_server(settings=pair.settings(), verify=authority.file) as server:
        yield server, authority, pair


def lines(server: TestServer, text: str) -> list[dict]:
    return [line for line in server.logs() if line["msg"] == text]


def replace(server: TestServer, authority: Authority, pair: Pair) -> None:
    """Write a good pair and wait until both workers use it: each says so, however the connections fall."""
    told = len(lines(server, "certificate replaced"))
    authority.issue("server", pair=pair)
    eventually(lambda: len(lines(server, "certificate replaced")) >= told + 2, 15, "both workers use it")


def test_a_replaced_certificate_is_used_without_restart(rotating: Rotating):
    server, authority, pair = rotating
    before = serial_number(server)
    with connect(server) as old:
        send_get(old, "/health")
        assert read_answer(old)[0] == 200
        replace(server, authority, pair)
        assert before not in {serial_number(server) for _ in range(20)}
        send_get(old, "/health")
        assert read_answer(old)[0] == 200


@pytest.mark.parametrize("fault", ["no certificate", "another key", "expired", "gone"])
def test_a_broken_pair_leaves_the_old_one_in_use(rotating: Rotating, fault: str):
    server, authority, pair = rotating
    before, told = serial_number(server), len(lines(server, "certificate not replaced"))
    if fault == "no certificate":
        pair.cert.write_text("-----BEGIN CERTIFICATE-----\n")
    elif fault == "another key":
        pair.key.write_bytes(authority.issue("other").key.read_bytes())
    elif fault == "expired":
        authority.issue("server", ends=-DAY / 2, pair=pair)
    else:
        pair.key.unlink()
    eventually(lambda: len(lines(server, "certificate not replaced")) >= told + 2, 15, "both workers say so")
    for _ in range(5):
        assert serial_number(server) == before
    replace(server, authority, pair)
    assert before not in {serial_number(server) for _ in range(20)}


def test_a_worker_that_starts_while_the_pair_is_broken(make_server: MakeServer, tmp_path: Path):
    authority = Authority(tmp_path)
    pair = authority.issue("server")
    with make_server(settings=pair.settings(), verify=authority.file) as server:
        before, workers = serial_number(server), set(server.workers())
        pair.key.write_text("broken")
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        eventually(lambda: len(set(server.workers()) - workers) == 2, 30, "there are new workers")
        eventually(lambda: server.client().get("/ready").status_code == 200, 30, "they answer")
        assert {serial_number(server) for _ in range(10)} == {before}


def test_limits_come_before_authentication(make_server: MakeServer, authority: Authority, pair: Pair):
    """Neither a long URL nor a large body costs more because nobody is let in."""
    limits = {"limits.max_request_body_size": "2KiB", "limits.max_header_size": "2KiB", **QUICK}
    settings = secured_settings() | pair.settings() | limits
    with make_server(settings=settings, verify=authority.file) as server, server.client() as client:
        assert client.get("/v1/namespaces").status_code == 401
        assert client.post("/v1/namespaces", data=b" " * 3000).status_code == 413
        assert client.post("/v1/oauth/tokens", data=b" " * 3000).status_code == 413
        assert client.get("/v1/namespaces", headers={"X-Large": "x" * 3000}).status_code == 431
        assert client.get("/v1/" + "x" * 1500).status_code == 414
        people = Identities(server)
        assert people.admin.post("/v1/namespaces", json={"namespace": ["a"]}).status_code == 200
        large = people.admin.post(
            "/v1/namespaces", json={"namespace": ["b"], "properties": {"x": "y" * 3000}}
        )
        assert large.status_code == 413
        assert people.admin.get("/v1/namespaces", headers={"X-Large": "x" * 3000}).status_code == 431


@pytest.mark.parametrize("entry", ["serve", "gunicorn"])
def test_sigterm_drops_no_request_and_waits_for_nobody(
    make_server: MakeServer, authority: Authority, pair: Pair, entry: str
):
    with make_server(settings=pair.settings(), verify=authority.file, entry=entry) as server:
        idle = [connect(server) for _ in range(10)]
        for connection in idle:
            send_get(connection, "/health")
            assert read_answer(connection)[0] == 200
        silent = [socket.create_connection(("127.0.0.1", server.port), timeout=40) for _ in range(5)]
        with connect(server) as slow:
            slow.sendall(
                b"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b'Content-Length: 23\r\n\r\n{"namespace"'
            )
            began = time.monotonic()
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGTERM)
            for connection in idle:
                assert connection.recv(1) == b""
                connection.close()
            slow.sendall(b': ["slow"]}')
            status, headers, _ = read_answer(slow)
        assert (status, headers["connection"]) == (200, "close")
        assert server.process.wait(40) == 0
        assert time.monotonic() - began < 20
        for plain in silent:
            plain.close()


def test_client_certificates(make_server: MakeServer, tmp_path: Path):
    authority, strangers = Authority(tmp_path), Authority(tmp_path, "strangers")
    pair, friend, stranger = authority.issue("server"), authority.issue("friend"), strangers.issue("stranger")
    settings = pair.settings() | {"server.tls.client_ca_file": authority.file}
    with make_server(settings=settings, verify=authority.file) as server, server.client() as client:
        assert client.get("/health").status_code == 200
        refused = requests.get(server.url + "/v1/config", verify=str(authority.file), timeout=10)
        assert (refused.status_code, refused.json()["error"]["type"]) == (403, "ForbiddenException")
        assert "server.tls.client_ca_file" in refused.text
        client.cert = (str(friend.cert), str(friend.key))
        client.get_adapter("https://").close()
        assert client.get("/v1/config").status_code == 200
        client.cert = (str(stranger.cert), str(stranger.key))
        client.get_adapter("https://").close()
        with pytest.raises(requests.exceptions.ConnectionError):
            client.get("/v1/config")


def test_many_clients_at_once(secured: TestServer):
    def ask() -> None:
        with secured.client() as client:
            answers.extend(client.get("/v1/config").status_code for _ in range(5))

    answers: list[int] = []
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 100


def test_pyiceberg_over_tls(secured: TestServer, monkeypatch: pytest.MonkeyPatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would win over the property
        monkeypatch.delenv(name, raising=False)
    catalog = load_catalog("tls", type="rest", uri=secured.url, ssl={"cabundle": str(secured.verify)})
    catalog.create_namespace("over_tls")
    assert ("over_tls",) in catalog.list_namespaces()


def test_a_certificate_that_cannot_be_used_is_a_fault(secured: TestServer, tmp_path: Path):
    authority = Authority(tmp_path)
    good, other = authority.issue("good"), authority.issue("other")
    expired, early = authority.issue("expired", ends=-DAY / 2), authority.issue("early", begins=DAY / 2)
    soon, nothing = authority.issue("soon", ends=5 * DAY), tmp_path / "nothing"
    cases = [
        (Pair(good.cert, other.key), "server.tls.key_file: does not belong to the certificate"),
        (Pair(expired.cert, expired.key), "server.tls.cert_file: expired at"),
        (Pair(early.cert, early.key), "server.tls.cert_file: not valid before"),
        (Pair(nothing, good.key), "server.tls.cert_file: cannot be read: No such file"),
        (Pair(good.cert, nothing), "server.tls.key_file: cannot be read: No such file"),
        (Pair(good.key, good.key), "server.tls.cert_file: holds no certificate in PEM form"),
        (Pair(good.cert, good.cert), "server.tls.key_file: holds no private key in PEM form"),
    ]
    for pair, text in cases:
        outcome = secured.cli("config", "check", env=variables(pair))
        assert (outcome.code, outcome.err.count("\n")) == (78, 1)
        assert text in outcome.err
    outcome = secured.cli("config", "check", env=variables(soon))
    assert outcome.code == 0
    assert "warning: server.tls.cert_file: the certificate expires at" in outcome.err


def variables(pair: Pair) -> dict[str, str]:
    return {"ICEBERG_SERVER_TLS_CERT_FILE": str(pair.cert), "ICEBERG_SERVER_TLS_KEY_FILE": str(pair.key)}
