"""``bingsan key create|list|rotate|revoke``."""

import argparse
from typing import Any

from app.cli.operator import Operator, add_action, say, show, show_one

_COLUMNS = ("id", "name", "principal", "scopes", "created-at-ms", "expires-at-ms", "last-used-at-ms")


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("key", help="manage API keys")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    made = add_action(actions, common, "create", "make an API key and print it, once", create)
    made.add_argument("name", help="what it is for")
    made.add_argument("--principal", required=True, help="whose it is")
    made.add_argument(
        "--scope", action="append", metavar="SCOPE", help="catalog, sign, read, write or manage; repeatable"
    )
    made.add_argument("--expires-in", metavar="TIME", help="12h, 30d, 2w, 6m or 1y; never without it")
    listed = add_action(actions, common, "list", "list the API keys", list_all)
    listed.add_argument("--principal", help="only those of this principal")
    listed.add_argument("--include-deleted", action="store_true", help="also those that were revoked")
    rotated = add_action(
        actions, common, "rotate", "replace an API key; the old one is good for a day more", rotate
    )
    rotated.add_argument("id", type=int)
    revoked = add_action(actions, common, "revoke", "end an API key", revoke)
    revoked.add_argument("id", type=int)


def create(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.api_keys import NewKey, create_key
    from app.catalog.lifetimes import read_lifetime

    text = arguments.expires_in
    lifetime = None if text is None else read_lifetime(text, "--expires-in")
    new = NewKey(arguments.name, arguments.scope or ("catalog",), arguments.principal, lifetime)
    made = create_key(operator.catalog, operator.caller(), operator.realm, (), new)
    say("This is the only time that the key is shown.")
    return show_one(arguments, made)


def list_all(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.api_keys import describe_key, list_keys
    from app.catalog.principals import load_principal

    owner = load_principal(operator.catalog, arguments.principal).id if arguments.principal else None
    rows = list_keys(operator.catalog, 0, None, principal_id=owner, revoked=arguments.include_deleted)
    return show(arguments, list(map(describe_key, rows)), _COLUMNS)


def rotate(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.api_keys import rotate_key

    made = rotate_key(operator.catalog, operator.caller(), operator.realm, arguments.id)
    say("This is the only time that the key is shown.")
    return show_one(arguments, made)


def revoke(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.api_keys import revoke_key

    revoke_key(operator.catalog, operator.caller(), operator.realm, arguments.id, None)
    say(f"Key {arguments.id} is revoked.")
    return 0
