"""Session policies: the text that says how far temporary keys reach, and nothing else does.

They allow objects below one location and listing what begins with it. Source: AWS, "IAM JSON policy elements"
(wildcards, ``${*}``, ``${?}`` and ``${$}``) and "AssumeRole" (2,048 characters of U+0020 to U+00FF).
"""

import json
from typing import Any, Literal

from app.storage.locations import Location

Access = Literal["read", "read-write"]

MOST_CHARACTERS = 2048
_READ = ["s3:GetObject"]
_WRITE = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
_ESCAPES = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})


class PolicyTooLong(ValueError):
    """A location has a path that no session policy has room for."""


def session_policy(place: Location, access: Access, partition: str = "aws") -> str:
    """Return the policy for the objects below ``place``; listing is left out where the text would be too long.

    :param partition: the part of AWS, such as ``aws-cn``
    :raises PolicyTooLong: when even that leaves more than 2,048 characters
    """
    objects, listing = _objects(place, access, partition), _listing(place, partition)
    for statements in ([objects, listing], [objects]):
        text = _text(statements)
        if len(text) <= MOST_CHARACTERS:
            return text
    raise PolicyTooLong(f"the path of {place.key[:300]} is too long for a session policy")


def needs_escapes(place: Location) -> bool:
    """Whether the path has characters that mean something else in policies, which not every store can escape."""
    return place.path.translate(_ESCAPES) != place.path


def _objects(place: Location, access: Access, partition: str) -> dict[str, Any]:
    actions = _READ if access == "read" else [*_READ, *_WRITE]
    return {"Effect": "Allow", "Action": actions, "Resource": f"{_bucket(place, partition)}/{_below(place)}"}


def _listing(place: Location, partition: str) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": _bucket(place, partition),
    }
    if place.path:
        # The star also stands for nothing, so the prefix may be just the location and its slash.
        statement["Condition"] = {"StringLike": {"s3:prefix": _below(place)}}
    return statement


def _bucket(place: Location, partition: str) -> str:
    return f"arn:{partition}:s3:::{place.bucket}"


def _below(place: Location) -> str:
    return f"{place.path.translate(_ESCAPES)}/*" if place.path else "*"


def _text(statements: list[dict[str, Any]]) -> str:
    # Only this encoder escapes what is not ASCII, and the service takes no such characters.
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
