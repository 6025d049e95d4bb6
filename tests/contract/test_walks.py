"""Random walks of eight clients over the same names: whatever meets, the catalog stays sound."""

import gzip
import json
import random
from typing import Any

import requests

from tests.contract.calls import (
    at_once,
    create_view_request,
    local,
    make_namespace,
    namespace_path,
    ok,
    rename_request,
)
from tests.factories import commit_request, create_table_request, set_properties
from tests.support.server import Client, TestServer


class Walk:
    """One client that does random things to a few names, and what it was answered."""

    def __init__(self, server: TestServer, spaces: list[str], seed: int) -> None:
        self.server, self.spaces, self.random = server, spaces, random.Random(seed)
        self.answers: list[requests.Response] = []

    def __call__(self) -> "Walk":
        with Client(self.server.url) as client:
            for _ in range(40):
                method, path, body = self.step()
                self.answers.append(client.request(method, path, json=body))
        return self

    def step(self) -> tuple[str, str, Any]:
        pick = self.random.choice
        space, name = pick(self.spaces), pick("abc")
        there = (pick(self.spaces), pick("abc"))
        kind = pick(["tables", "tables", "views"])
        path = f"{namespace_path(space)}/{kind}"
        bodies = {"tables": create_table_request(name), "views": create_view_request(name)}
        steps: list[tuple[str, str, Any]] = [
            ("POST", path, bodies[kind]),
            ("POST", f"{path}/{name}", commit_request(set_properties(p=str(self.random.random())))),
            ("DELETE", f"{path}/{name}", None),
            ("POST", f"/v1/{kind}/rename", rename_request((space, name), there)),
            ("GET", f"{path}/{name}", None),
            ("GET", path, None),
            ("POST", f"{namespace_path(space)}/properties", {"updates": {"p": name}}),
            ("DELETE", namespace_path(space), None),
            ("POST", "/v1/namespaces", {"namespace": [space]}),
        ]
        weights = [6, 6, 2, 4, 2, 1, 1, 1, 2]
        return self.random.choices(steps, weights)[0]


def test_anything_against_anything(server: TestServer, client: Client) -> None:
    """Eight random walks over six names: no answer but the expected ones, and afterwards all is sound."""
    spaces = [make_namespace(client) for _ in range(2)]
    walks = at_once([Walk(server, spaces, seed) for seed in range(8)])
    answers = [answer for walk in walks for answer in walk.answers]
    odd = [answer.text for answer in answers if answer.status_code not in {200, 204, 404, 409}]
    assert odd == []
    assert sum(answer.status_code < 300 for answer in answers) > len(answers) / 4
    for space in spaces:
        for kind in ("tables", "views"):
            listed = client.get(f"{namespace_path(space)}/{kind}").json().get("identifiers", [])
            for item in listed:
                assert_sound(client, f"{namespace_path(space)}/{kind}/{item['name']}")


def assert_sound(client: Client, path: str) -> None:
    """The file that the catalog names exists and holds what a load answers."""
    loaded = ok(client.get(path))
    data = local(loaded["metadata-location"]).read_bytes()
    document = gzip.decompress(data) if ".gz." in loaded["metadata-location"] else data
    assert json.loads(document) == loaded["metadata"]
