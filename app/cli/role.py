"""``bingsan role create|list|delete|members|add|remove``."""

import argparse
from typing import TYPE_CHECKING, Any

from app.cli.operator import Operator, add_action, say, show, show_one

if TYPE_CHECKING:
    from app.catalog.roles import Grantee

WHO = "a principal, or role:NAME"


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("role", help="manage roles and who is in them")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_action(actions, common, "list", "list the roles", list_all)
    texts = {
        "create": ("make a role", create),
        "delete": ("delete a role with its grants", delete),
        "members": ("list the members of a role", members),
        "add": ("make somebody a member of a role", add),
        "remove": ("take somebody out of a role", remove),
    }
    for name, (text, act) in texts.items():
        action = add_action(actions, common, name, text, act)
        action.add_argument("role")
        if name in ("add", "remove"):
            action.add_argument("member", help=WHO)


def grantee(text: str) -> "Grantee":
    """Return who ``NAME`` or ``role:NAME`` is."""
    from app.catalog.roles import Grantee

    if text.startswith("role:"):
        return Grantee("role", text.removeprefix("role:"))
    return Grantee("principal", text)


def create(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import create_role

    return show_one(
        arguments, create_role(operator.catalog, operator.caller(), operator.realm, arguments.role)
    )


def list_all(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import describe_role, list_roles

    rows = [describe_role(row) for row in list_roles(operator.catalog, None, None)]
    return show(arguments, rows, ("name", "created-by", "created-at-ms"))


def members(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import describe_member, list_members

    rows = [describe_member(row) for row in list_members(operator.catalog, arguments.role, 0, None)]
    return show(arguments, rows, ("principal", "role", "added-by", "added-at-ms"))


def delete(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import delete_role

    delete_role(operator.catalog, operator.caller(), operator.realm, arguments.role)
    say(f"Role {arguments.role} is deleted.")
    return 0


def add(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import add_member

    member = grantee(arguments.member)
    add_member(operator.catalog, operator.caller(), operator.realm, arguments.role, member)
    say(f"Role {arguments.role} has a member: {member}.")
    return 0


def remove(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.roles import remove_member

    member = grantee(arguments.member)
    remove_member(operator.catalog, operator.caller(), operator.realm, arguments.role, member)
    say(f"Role {arguments.role} has lost a member: {member}.")
    return 0
