"""How an operation of the management API becomes a route."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, request

from app.api.answers import Response
from app.api.authentication import authenticate
from app.api.authorization import enter, take
from app.api.context import services
from app.api.declarations import Declaration, declare
from app.api.operations import PARAMETER, View, call_with_names
from app.auth.decide import Need
from app.errors import BadRequestException
from app.identifiers import decode_segment

ROOT = "/management/v1"
_INSIDE_A_WAREHOUSE = "/warehouses/{warehouse}/"
LARGEST_ID = 2**63 - 1


class ManagementOperations:
    """The management operations of one resource; ``declarations`` has the contract of each by its endpoint."""

    def __init__(self, name: str, root: str = ROOT) -> None:
        self.blueprint = Blueprint(f"management_{name}", __name__)
        self.root = root
        self.declarations: dict[str, Declaration] = {}

    def operation(self, method: str, template: str, summary: str, **contract: Any) -> Callable[[View], View]:
        """Mount a view function at a template such as ``/warehouses/{warehouse}/tables/{table}``.

        The function gets the decoded path: ``namespace`` as Namespace; ``table``, ``view`` and ``function`` as
        TableIdentifier; ``id`` as int. Below ``/warehouses/{warehouse}/`` the named warehouse, active or not, is
        ``warehouse()``; elsewhere that is the default one, in whose realm idempotency keys are then kept, and
        ``{warehouse}`` arrives as the name.

        :param summary: what it does, in a few words
        :param contract: ``takes``, ``body``, ``answers``, ``fails``, ``needs`` of ``app.api.declarations.declare``
        """

        def mount(view: View) -> View:
            self.blueprint.add_url_rule(
                PARAMETER.sub(lambda match: f"<{match[1]}>", template),
                view.__name__,
                _decoding(view, self.root, template, contract.get("needs")),
                methods=[method],
                provide_automatic_options=False,
            )
            self.declarations[f"{method} {self.root}{template}"] = declare(summary, view.__name__, **contract)
            return view

        return mount

    def register(self, app: Flask) -> None:
        app.register_blueprint(self.blueprint, url_prefix=self.root)


def _decoding(view: View, root: str, template: str, need: Need | None) -> View:
    inside = template.startswith(_INSIDE_A_WAREHOUSE)

    def dispatch(**raw: str) -> Response:
        request.environ["bingsan.route"] = f"{root}{template}"
        authenticate()
        name = decode_segment(raw.pop("warehouse")) if "warehouse" in raw else None
        if name is not None:
            request.environ["bingsan.warehouse"] = name
        found = services().warehouses.named(name if inside else None)
        if inside:
            enter(found, name)
        else:
            take(found)
        more: dict[str, Any] = {} if inside or name is None else {"warehouse": name}
        if "id" in raw:
            more["id"] = _id(raw.pop("id"))
        if "principal" in raw:
            more["principal"] = decode_segment(raw.pop("principal"), keep_plus=True)
        return call_with_names(view, need, raw, **more)

    return dispatch


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > LARGEST_ID:
        raise BadRequestException(f"Invalid id {text!r}: expected a whole number")
    return int(text)
