"""``bingsan grant PRIVILEGE… on OBJECT to WHO``, ``bingsan revoke … from WHO``, and ``bingsan grants``."""

import argparse
from typing import TYPE_CHECKING, Any

from app.cli.operator import Operator, add_action, say, show
from app.cli.role import WHO, grantee

if TYPE_CHECKING:
    from app.auth.objects import ObjectName
    from app.catalog.context import Warehouse

_OBJECTS = "server, warehouse:W, namespace:W/A%%1FB, table:W/A%%1FB/T or view:W/A%%1FB/V"
_COLUMNS = ("privilege", "object", "to", "granted-by", "granted-at-ms")


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    given = add_action(subparsers, common, "grant", "let somebody do something", grant)
    taken = add_action(subparsers, common, "revoke", "take back what was granted", revoke)
    for parser, word in ((given, "to"), (taken, "from")):
        parser.usage = f"bingsan {parser.prog.split()[-1]} PRIVILEGE... on OBJECT {word} WHO"
        parser.description = f"OBJECT is {_OBJECTS}; WHO is {WHO}."
        parser.add_argument("words", nargs="+", metavar="WORD", help="as above")
        parser.set_defaults(word=word, parser=parser)
    listed = add_action(subparsers, common, "grants", "list who may do what", list_all)
    listed.add_argument("about", help=f"an object ({_OBJECTS}), {WHO}")
    listed.add_argument("--effective", action="store_true", help="of a principal: also what its roles have")


def grant(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog import grants

    return _change(arguments, operator, grants.grant, "granted")


def revoke(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog import grants

    return _change(arguments, operator, grants.revoke, "taken back")


def list_all(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.auth.objects import PARTS, ObjectName
    from app.catalog import grants

    about: str = arguments.about
    if about.partition(":")[0] in PARTS:
        target = ObjectName.parse(about, "object")
        wanted = grants.grants_on(operator.catalog, _place(operator, target), target)
    else:
        wanted = grants.grants_to(operator.catalog, grantee(about), effective=arguments.effective)
    rows = [grants.describe_grant(row) for row in grants.list_grants(operator.catalog, wanted, 0, None)]
    shown = [{**row, "object": row["object"].address, "to": _who(row["to"])} for row in rows]
    return show(arguments, shown, _COLUMNS)


def _change(arguments: argparse.Namespace, operator: Operator, use_case: Any, done: str) -> int:
    from app.auth.objects import ObjectName
    from app.auth.privileges import read_privilege

    *names, on, text, word, who = arguments.words if len(arguments.words) >= 5 else [""] * 5
    if (on, word) != ("on", arguments.word):
        arguments.parser.error(f"expected PRIVILEGE... on OBJECT {arguments.word} WHO")
    privileges = [read_privilege(name, "privilege") for name in names]
    target, to = ObjectName.parse(text, "object"), grantee(who)
    place = _place(operator, target)
    changed = use_case(operator.catalog, operator.caller(), place, privileges, target, to)
    say(f"{', '.join(changed) or 'Nothing'} {done}: {to} on {target}.")
    return 0


def _place(operator: Operator, target: "ObjectName") -> "Warehouse":
    """The warehouse of an object."""
    from app.catalog.warehouses import Warehouses

    if target.warehouse is None:
        return operator.realm
    return Warehouses(operator.catalog).named(target.warehouse)


def _who(to: dict[str, str]) -> str:
    return to["principal"] if "principal" in to else f"role:{to['role']}"
