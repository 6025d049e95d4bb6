"""How an operation of the specification becomes a route.

Paths are routed while still percent-encoded, split first and decoded afterwards. Every operation is mounted under
``/v1`` (the default warehouse) and under ``/v1/{prefix}``, and what is mounted is what ``/v1/config`` announces.
"""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask

from app.api.answers import Response
from app.api.at_hand import at_hand
from app.api.authentication import authenticate
from app.api.authorization import authorize, enter
from app.api.declarations import Declaration, declare
from app.auth.decide import Need
from app.auth.names import MeaningChanged
from app.catalog.warehouses import active
from app.changes.effects import READS
from app.errors import (
    NoSuchFunctionException,
    NoSuchNamespaceException,
    NoSuchTableException,
    NoSuchViewException,
)
from app.identifiers import TableIdentifier, decode_namespace, decode_segment

View = Callable[..., Response]
PARAMETER = re.compile(r"\{([a-z-]+)\}")
# How often a request is authorized while others rename what it names.
_ATTEMPTS = 3
_NOT_FOUND = (NoSuchNamespaceException, NoSuchTableException, NoSuchViewException, NoSuchFunctionException)


class Operations:
    """The operations of one resource; ``declarations`` has the contract of each by its endpoint.

    :param has_prefix: whether they are for one warehouse, and ``/v1/{prefix}`` is before them
    """

    def __init__(self, name: str, *, has_prefix: bool = True) -> None:
        self._has_prefix = has_prefix
        self.blueprint = Blueprint(name, __name__)
        self.endpoints: list[str] = []
        self.declarations: dict[str, Declaration] = {}

    def operation(
        self,
        method: str,
        template: str,
        summary: str,
        *,
        announced: bool = True,
        is_kept: bool = False,
        **contract: Any,
    ) -> Callable[[View], View]:
        """Mount a view function at a template of the specification, such as ``/namespaces/{namespace}``.

        The function gets the decoded path: ``namespace`` as Namespace; ``table``, ``view`` and ``function`` as
        TableIdentifier; what follows them in the path it does not get.
        A HEAD has to be mounted before the GET of the same template.

        :param summary: what it does, in a few words
        :param contract: ``takes``, ``body``, ``answers``, ``fails``, ``needs`` of ``app.api.declarations.declare``
        :param is_kept: whether the server may give an answer again until something changes that was read for it
        :param announced: whether ``/v1/config`` names it, as it does what clients may use
        """

        def mount(view: View) -> View:
            rule = PARAMETER.sub(lambda match: f"<{match[1].replace('-', '_')}>", template)
            self.blueprint.add_url_rule(
                rule,
                view.__name__,
                _decoding(view, f"/v1/{{prefix}}{template}", contract.get("needs"), is_kept=is_kept),
                methods=[method],
                provide_automatic_options=False,
            )
            endpoint = f"{method} /v1/{{prefix}}{template}"
            if announced:
                self.endpoints.append(endpoint)
            self.declarations[endpoint] = declare(summary, view.__name__, **contract)
            return view

        return mount

    def register(self, app: Flask) -> None:
        app.register_blueprint(self.blueprint, url_prefix="/v1")
        if self._has_prefix:
            app.register_blueprint(
                self.blueprint, url_prefix="/v1/<prefix>", name=f"{self.blueprint.name}_of_prefix"
            )


def _decoding(view: View, route: str, need: Need | None, *, is_kept: bool) -> View:
    def dispatch(prefix: str | None = None, **raw: str) -> Response:
        here = at_hand()
        environ = here.request.environ
        environ["bingsan.route"] = route
        if is_kept:
            keep_answer()
        authenticate()
        name = None if prefix is None else decode_segment(prefix)
        enter(here.services.warehouses.resolve(name), name)
        environ["bingsan.warehouse"] = active(here.warehouse).name
        return call_with_names(view, need, raw)

    return dispatch


def keep_answer() -> None:
    """Let the server give the answer to this request again until something changes that was read for it."""
    reads = at_hand().request.environ.get(READS)
    if reads is not None:
        reads.is_kept = True


def call_with_names(view: View, need: Need | None, raw: dict[str, str], **more: Any) -> Response:
    """Call a view function with what the raw segments of its path name, and with ``more``, if the caller may."""
    here = at_hand()
    here.is_last_reading = not any("+" in segment for segment in raw.values())
    try:
        return _call(view, need, _decode(raw), more)
    except _NOT_FOUND:
        if here.is_last_reading:
            raise
        # Java sends a space as "+"; others mean the plus sign itself.
        here.is_last_reading = True
        return _call(view, need, _decode(raw, keep_plus=True), more)


def _call(view: View, need: Need | None, names: dict[str, Any], more: dict[str, Any]) -> Response:
    at_hand().names = names
    for _ in range(_ATTEMPTS - 1):
        try:
            authorize(need, {**names, **more})
            return view(**names, **more)
        except MeaningChanged:
            continue  # nothing was done
    authorize(need, {**names, **more})
    return view(**names, **more)


def _decode(raw: dict[str, str], *, keep_plus: bool = False) -> dict[str, Any]:
    if "namespace" not in raw:
        return {name: decode_segment(text, keep_plus=keep_plus) for name, text in raw.items()}
    namespace = decode_namespace(raw["namespace"], keep_plus=keep_plus)
    for kind in ("table", "view", "function"):
        if kind in raw:
            return {kind: TableIdentifier(namespace, decode_segment(raw[kind], keep_plus=keep_plus))}
    return {"namespace": namespace}
