"""Roles that temporary keys are sessions of: which texts the security token service takes."""

import re
from collections.abc import Collection

ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::\d*:role/[\w+=,.@/-]+", re.ASCII)
MOST_ROLE_ARN = 2048
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
WAYS = ("vended-credentials", "remote-signing", "static-keys")
"""How a client without keys may be let at the files of a table."""


def partition(role_arn: str) -> str:
    """Return the part of AWS that a role belongs to, such as ``aws-cn``; ``aws`` for roles of other stores."""
    found = role_arn.split(":")[1] if role_arn.count(":") > 1 else ""
    return found if found == "aws" or found.startswith("aws-") else "aws"


def ways_problem(ways: Collection[str]) -> str:
    """What is wrong with the ways that are offered; empty for nothing."""
    unknown = [way for way in ways if way not in WAYS]
    return f"{unknown[0][:40]!r} is none of {', '.join(WAYS)}" if unknown else ""


def session_problem(role_arn: str, external_id: str, *, on_aws: bool) -> tuple[str, str] | None:
    """Return which of both cannot be used for vended credentials, and why.

    :param on_aws: whether the store is AWS itself, where keys are those of a role
    """
    if not role_arn and on_aws:
        return "role_arn", "vended-credentials need a role on AWS"
    if role_arn and not (ROLE_ARN.fullmatch(role_arn) and 20 <= len(role_arn) <= MOST_ROLE_ARN):
        return "role_arn", "expected arn:aws:iam::123456789012:role/name"
    if external_id and not EXTERNAL_ID.fullmatch(external_id):
        return "external_id", "expected 2 to 1224 letters, digits and _+=,.@:/-"
    return None
