"""What stands in for Flask's own: it has to do the same, only for less."""

from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from app import create_app
from app.api.answers import Response, json_answer, no_content, not_modified
from app.api.application import Application
from app.config import Settings

HOSTS = ("a", "a:80", "a:443", "a:8181", "A.Example", "[::1]:80", "", "a b", "a..b", "x" * 70, "b\u00fccher")
JSON = "application/json"


@pytest.fixture(scope="module")
def application() -> Application:
    return create_app(Settings.load(environ={"ICEBERG_DATABASE_HOST": "nowhere.invalid"}))


def adapter_of(app: Flask, environ: dict[str, Any], *, is_flasks: bool) -> object:
    """What an adapter knows, or how the request was refused."""
    request = app.request_class(environ)
    try:
        made = Flask.create_url_adapter(app, request) if is_flasks else app.create_url_adapter(request)
    except HTTPException as error:
        return type(error)
    return vars(made)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("more", [{}, {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_routes_are_looked_up_as_flask_does(
    application: Application, host: str, more: dict[str, str], scheme: str
) -> None:
    environ = EnvironBuilder("/v1/namespaces/a%2Fb", f"{scheme}://x/p", query_string="a=b").get_environ()
    environ |= {"HTTP_HOST": host, **more}
    for _ in range(2):  # the second time the host is known
        ours = adapter_of(application, environ, is_flasks=False)
        assert ours == adapter_of(application, environ, is_flasks=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("ours", "flasks"),
    [
        (
            json_answer({"a": 1}, 201, {"X": "y"}),
            FlaskResponse(b'{"a":1}', 201, {"Cache-Control": "no-store", "X": "y"}, content_type=JSON),
        ),
        (
            json_answer([], 507, {"Cache-Control": "private"}),
            FlaskResponse(b"[]", 507, {"Cache-Control": "private"}, content_type=JSON),
        ),
        (no_content(), FlaskResponse(status=204, headers={"Cache-Control": "no-store"})),
        (
            not_modified('"x"'),
            FlaskResponse(status=304, headers={"Cache-Control": "no-store", "ETag": '"x"'}),
        ),
    ],
    ids=["json", "error", "empty", "unchanged"],
)
def test_answers_are_what_flask_would_send(method: str, ours: Response, flasks: FlaskResponse) -> None:
    if flasks.status_code == 204:
        del flasks.headers["Content-Type"]
    assert sent(ours, method) == sent(flasks, method)


def sent(answer: Any, method: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """The status line, the headers and the body of an answer."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        told.append((status, headers))

    body: Iterable[bytes] = answer(EnvironBuilder(method=method).get_environ(), start_response)
    ((status, headers),) = told
    return status, headers, b"".join(body)
