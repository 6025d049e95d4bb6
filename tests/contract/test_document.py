"""GET /openapi.json and the page at /docs."""

import re
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contract.calls import assert_error, ok, raw_request
from tests.support.server import Client, TestServer


def test_the_document_is_served(client: Client, server: TestServer) -> None:
    document = ok(client.get("/openapi.json"))
    assert document["info"]["version"] == server.cli("version").out.split()[1].rstrip(",")
    assert OpenAPIV31SpecValidator(document).is_valid()


def test_everything_announced_is_in_the_document(client: Client) -> None:
    paths = ok(client.get("/openapi.json"))["paths"]
    for endpoint in ok(client.get("/v1/config"))["endpoints"]:
        method, path = endpoint.split(" ")
        assert method.lower() in paths[path], endpoint


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_loads_nothing_from_elsewhere(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<base" not in page.text
    for link in re.findall(r'(?:src|href)="([^"]*)"', page.text):
        assert not re.match(r"[a-z]+:|/", link) or link == "data:,", link
        assert link == "data:," or client.get(urljoin(path, link)).status_code == 200, link
    assert "<style" not in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize(("name", "kind"), [("docs.css", "text/css"), ("docs.js", "text/javascript")])
def test_assets(client: Client, name: str, kind: str) -> None:
    asset = client.get(f"/docs/{name}")
    assert asset.status_code == 200
    assert asset.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert asset.headers["X-Content-Type-Options"] == "nosniff"
    assert "http" not in re.sub(r"https?://www\.w3\.org", "", asset.text)


@pytest.mark.parametrize("name", ["index.html", "..%2Froutes.py", "nothing"])
def test_nothing_else_is_served(server: TestServer, name: str) -> None:
    assert_error(raw_request(server, "GET", f"/docs/{name}"), 404, "NotFoundException")
