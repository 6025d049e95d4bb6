"""``/openapi.json`` and the page that shows it. Both are made once per process; nothing is fetched from elsewhere."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import msgspec
from flask import Blueprint, request

from app.api.answers import Response, json_answer, raw_answer, typed_answer
from app.api.declarations import Answer, Declaration, declare
from app.api.document.notation import JsonObject
from app.errors import NotFoundException

PAGE = Path(__file__).parent / "page"
_TYPES = {"docs.css": "text/css; charset=utf-8", "docs.js": "text/javascript; charset=utf-8"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
DECLARATIONS = {
    "GET /openapi.json": declare(
        "This document", "open_api_document", answers={200: "OpenApiDocument"}, plain=True
    ),
    "GET /docs": declare(
        "This document as a page for people",
        "docs",
        answers={200: Answer("Page", media_types=("text/html",))},
        plain=True,
    ),
    "GET /docs/docs.css": declare(
        "What the page looks like",
        "docs_style",
        answers={200: Answer("Page", media_types=("text/css",))},
        plain=True,
    ),
    "GET /docs/docs.js": declare(
        "What the page does",
        "docs_script",
        answers={200: Answer("Page", media_types=("text/javascript",))},
        plain=True,
    ),
}


class DocumentRoutes:
    """The document of what has been declared; ``tagged`` are the declarations by tag and endpoint."""

    def __init__(self, tagged: Mapping[str, Mapping[str, Declaration]]) -> None:
        self._tagged = {**tagged, "document": DECLARATIONS}
        self.blueprint = Blueprint("document", __name__)
        self.blueprint.get("/openapi.json")(self.open_api_document)
        self.blueprint.get("/docs")(self.docs)
        self.blueprint.get("/docs/<name>")(self.docs_asset)

    @cached_property
    def document(self) -> JsonObject:
        # Workers start faster without what only this needs.
        from app.api.document.build import build_document

        return build_document(self._tagged)

    @cached_property
    def _encoded(self) -> bytes:
        return msgspec.json.encode(self.document)

    @cached_property
    def _assets(self) -> dict[str, bytes]:
        return {name: (PAGE / name).read_bytes() for name in ("index.html", *_TYPES)}

    def open_api_document(self) -> Response:
        if request.script_root:  # a proxy serves all of it below a path of its own
            return json_answer({**self.document, "servers": [{"url": request.script_root}]})
        return raw_answer(self._encoded)

    def docs(self) -> Response:
        root = b"../" if request.environ["RAW_URI"].partition("?")[0].endswith("/") else b""
        page = self._assets["index.html"].replace(b"{root}", root)
        return _asset(page, "text/html; charset=utf-8")

    def docs_asset(self, name: str) -> Response:
        if name not in _TYPES:
            raise NotFoundException(f"No route for request: {request.method} {request.path}")
        return _asset(self._assets[name], _TYPES[name])


def _asset(body: bytes, content_type: str) -> Response:
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
    }
    return typed_answer(body, content_type, headers=headers)
