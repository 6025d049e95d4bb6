"""How often one caller may ask."""

import pytest

from tests.conftest import MakeServer
from tests.contract.rights import WAREHOUSE, grant
from tests.support.identities import Identities, secured_settings
from tests.support.process import eventually
from tests.support.server import TestServer


@pytest.fixture
def slow(make_server: MakeServer):
    limits = {
        "rate_limit.requests_per_second": 1,
        "rate_limit.burst": 5,
        "server.trusted_proxies": "127.0.0.1",
    }
    with make_server(settings=limits | {"server.workers": 1}) as running:
        yield running


def ask(server: TestServer, address: str) -> tuple[int, dict[str, str], str]:
    with server.client() as client:
        answer = client.get("/v1/config", headers={"X-Forwarded-For": address})
    return answer.status_code, dict(answer.headers), answer.text


def test_above_the_burst_429_until_a_second_has_passed(slow: TestServer):
    assert [ask(slow, "203.0.113.1")[0] for _ in range(5)] == [200] * 5
    status, headers, text = ask(slow, "203.0.113.1")
    assert (status, headers["Retry-After"]) == (429, "1")
    assert "203.0.113.1 (rate_limit.requests_per_second)" in text
    assert ask(slow, "203.0.113.2")[0] == 200
    eventually(lambda: ask(slow, "203.0.113.1")[0] == 200, 5, "the next one passes")
    name = "bingsan_rejected_requests_total"
    eventually(lambda: slow.metric(name, reason="rate_limit") >= 1, 10, "the refusal is counted")


def test_addresses_of_one_network_of_ipv6_are_one_caller(slow: TestServer):
    statuses = [ask(slow, f"2001:db8::{number}")[0] for number in range(1, 8)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses[5:]


def test_health_is_never_limited(slow: TestServer):
    with slow.client() as client:
        assert {client.get("/ready").status_code for _ in range(30)} == {200}


def test_a_principal_is_one_caller_wherever_it_is(make_server: MakeServer):
    limits = {
        "rate_limit.requests_per_second": 1,
        "rate_limit.burst": 8,
        "server.trusted_proxies": "127.0.0.1",
    }
    with make_server(settings=secured_settings() | limits, workers=1) as server:
        people = Identities(server)
        loader, reader = (people.as_(people.person()) for _ in range(2))
        addresses = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(12)]
        answers = [loader.get("/v1/config", headers=address) for address in addresses]
        assert [answer.status_code for answer in answers[:8]] == [200] * 8
        assert answers[-1].status_code == 429
        assert "rate_limit.requests_per_second" in answers[-1].json()["error"]["message"]
        assert reader.get("/v1/config", headers=addresses[0]).status_code == 200


def test_a_namespace_that_exists_counts_once(make_server: MakeServer):
    """The hot way looks at it first and leaves the refusal to others."""
    limits = {"rate_limit.requests_per_second": 1, "rate_limit.burst": 8}
    with make_server(settings=secured_settings() | limits, workers=1) as server:
        people = Identities(server)
        person = people.person()
        grant(people.admin, WAREHOUSE, person.name, "create")
        creator = people.as_(person)
        answers = [creator.post("/v1/namespaces", json={"namespace": ["a"]}).status_code for _ in range(8)]
        assert answers == [200] + [409] * 7


def test_who_shows_nothing_good_is_limited_by_address(make_server: MakeServer):
    limits = {"rate_limit.requests_per_second": 1, "rate_limit.burst": 5}
    with make_server(settings=secured_settings() | limits, workers=1) as server:
        with server.client() as client:
            statuses = [client.get("/v1/namespaces").status_code for _ in range(12)]
        assert statuses[:5] == [401] * 5
        assert 429 in statuses[5:]
