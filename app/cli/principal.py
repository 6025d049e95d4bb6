"""``bingsan principal create|list|disable|enable|rotate|delete``."""

import argparse
from typing import Any

from app.cli.operator import Operator, add_action, say, show, show_one

_COLUMNS = ("name", "kind", "disabled", "created-by", "created-at-ms", "deleted-at-ms")


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("principal", help="manage who may come in")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    made = add_action(
        actions, common, "create", "make a principal and print its secret, once (openid has none)", create
    )
    made.add_argument("name", help="its name, and client id; of the kind openid PROVIDER:SUBJECT")
    made.add_argument("--kind", choices=("service", "user", "openid"), default="service")
    listed = add_action(actions, common, "list", "list the principals", list_all)
    listed.add_argument("--include-deleted", action="store_true")
    texts = {
        "disable": ("keep a principal out", disable),
        "enable": ("let a principal in again", enable),
        "rotate": ("give a principal another secret; the one before it is good for a while more", rotate),
        "delete": ("delete a principal with its keys and grants", delete),
    }
    for name, (text, act) in texts.items():
        parser = add_action(actions, common, name, text, act)
        parser.add_argument("name")
        if name == "rotate":
            parser.add_argument(
                "--old-valid-for", default="24h", metavar="TIME", help="how long: 24h, 7d, 0h"
            )


def create(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.openid_principals import admit_principal
    from app.catalog.principals import create_principal

    if arguments.kind == "openid":
        admitted = admit_principal(operator.catalog, operator.caller(), operator.realm, arguments.name)
        return show_one(arguments, admitted)
    made = create_principal(
        operator.catalog, operator.caller(), operator.realm, arguments.name, arguments.kind
    )
    say("This is the only time that the secret is shown.")
    return show_one(arguments, made)


def list_all(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.principal_rows import describe_principal
    from app.catalog.principals import list_principals

    rows = list_principals(operator.catalog, 0, None, deleted=arguments.include_deleted)
    return show(arguments, list(map(describe_principal, rows)), _COLUMNS)


def disable(arguments: argparse.Namespace, operator: Operator) -> int:
    return _set_disabled(arguments, operator, disabled=True)


def enable(arguments: argparse.Namespace, operator: Operator) -> int:
    return _set_disabled(arguments, operator, disabled=False)


def _set_disabled(arguments: argparse.Namespace, operator: Operator, *, disabled: bool) -> int:
    from app.catalog.principals import disable_principal

    changed = disable_principal(operator.catalog, operator.caller(), operator.realm, arguments.name, disabled)
    return show_one(arguments, changed)


def rotate(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.lifetimes import read_lifetime
    from app.catalog.principals import rotate_secret

    grace = read_lifetime(arguments.old_valid_for, "--old-valid-for", least=0)
    made = rotate_secret(operator.catalog, operator.caller(), operator.realm, arguments.name, grace)
    say("This is the only time that the secret is shown.")
    return show_one(arguments, made)


def delete(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.principals import delete_principal

    delete_principal(operator.catalog, operator.caller(), operator.realm, arguments.name)
    say(f"Principal {arguments.name} is deleted.")
    return 0
