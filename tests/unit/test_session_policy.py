"""What session policies allow, by a matcher of their own: everything below a location, and nothing else."""

import json
import re
import string
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.storage.locations import Location, normalise
from app.storage.policy import MOST_CHARACTERS, Access, PolicyTooLong, needs_escapes, session_policy

ARN = "arn:aws:s3:::"
READ = {"s3:GetObject"}
WRITE = READ | {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
OTHER = {"s3:GetBucketLocation", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutObjectAcl"}
VARIABLE = re.compile(r"\$\{([*?$])\}|(\*)|(\?)|(.)", re.DOTALL)

characters = st.characters(exclude_categories=("Cs", "Cc")).filter(lambda c: c != "/")
tricky = st.sampled_from(
    ["*", "?", "$", "${*}", "${?}", "${$}", "${aws:username}", "%2F", "%", "..", "t", "{", "}", "é", "🦆"]
)
segment = st.lists(st.one_of(tricky, characters), min_size=1, max_size=6).map("".join)
paths = st.lists(segment, min_size=1, max_size=4).map("/".join)
accesses = st.sampled_from(["read", "read-write"])


def matches(pattern: str, text: str) -> bool:
    """As IAM matches: ``*`` is anything, ``?`` one character, ``${*}`` and its like stand for themselves."""
    parts = []
    for literal, star, mark, other in VARIABLE.findall(pattern):
        parts.append(".*" if star else "." if mark else re.escape(literal or other))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allows(policy: str, action: str, resource: str, **conditions: str) -> bool:
    """Whether a statement allows an action on a resource; ``conditions`` are the keys that the request has."""
    for statement in json.loads(policy)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
        fits = action in listed(statement["Action"])
        fits &= any(matches(pattern, resource) for pattern in listed(statement["Resource"]))
        for operator, tests in statement.get("Condition", {}).items():
            assert operator == "StringLike"
            for key, patterns in tests.items():
                value = conditions.get(key.removeprefix("s3:"))
                fits &= value is not None and any(matches(pattern, value) for pattern in listed(patterns))
        if fits:
            return True
    return False


def allowed_actions(policy: str, bucket: str, key: str) -> set[str]:
    return {action for action in WRITE | OTHER if allows(policy, action, f"{ARN}{bucket}/{key}")}


def made(path: str, access: Access = "read-write") -> str:
    try:
        return session_policy(Location("s3", "lake", path), access)
    except PolicyTooLong:
        assume(False)
        raise


@given(paths, accesses, st.text(characters, min_size=0, max_size=8), segment)
def test_everything_below_the_location_is_reached(path: str, access: Access, rest: str, name: str) -> None:
    policy = made(path, access)
    expected = WRITE if access == "read-write" else READ
    for key in (f"{path}/{rest}", f"{path}/data/{rest}/{name}"):
        assert allowed_actions(policy, "lake", key) == expected
    for prefix in (f"{path}/", f"{path}/{rest}"):
        assert allows(policy, "s3:ListBucket", f"{ARN}lake", prefix=prefix)


@given(paths, paths)
@example("w/a*b", "w/aXb/x")
@example("w/a?b", "w/aXb/x")
@example("w/a${*}b", "w/a*b/x")
@example("w/a*b", "w/a${*}b/x")
@example("w/${aws:username}", "w/somebody/x")
@example("w/t", "w/t2/x")
@example("w/t", "w/t")
@example("w/t", "w")
@example("w/*", "w/x/y")
@example("*", "x/y")
def test_no_other_key_is_reached(path: str, key: str) -> None:
    assume(not key.startswith(f"{path}/"))
    policy = made(path)
    assert allowed_actions(policy, "lake", key) == set()
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake", prefix=key)


@given(paths, st.data())
def test_nor_is_one_that_is_nearly_the_same(path: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(path) - 1))
    other = data.draw(characters)
    changed = data.draw(
        st.sampled_from(
            [
                path[:position] + other + path[position + 1 :],
                path[:position] + path[position + 1 :],
                path[:position] + other + path[position:],
                path + other,
                path.swapcase(),
            ]
        )
    )
    assume(not f"{changed}/x".startswith(f"{path}/"))
    policy = made(path)
    assert allowed_actions(policy, "lake", f"{changed}/x") == set()
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake", prefix=f"{changed}/")


@given(paths, accesses)
def test_buckets_and_other_buckets_are_not_reached(path: str, access: Access) -> None:
    policy = made(path, access)
    for bucket in ("lake2", "lak", "lake-x", "*"):
        assert allowed_actions(policy, bucket, f"{path}/x") == set()
        assert not allows(policy, "s3:ListBucket", f"{ARN}{bucket}", prefix=f"{path}/")
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake")
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake", prefix="")
    for action in WRITE | OTHER:
        assert not allows(policy, action, f"{ARN}lake", prefix=f"{path}/")


@given(paths, accesses)
def test_the_text_is_what_the_service_takes(path: str, access: Access) -> None:
    policy = made(path, access)
    assert len(policy) <= MOST_CHARACTERS
    assert set(policy) <= set(string.printable)


def test_a_whole_bucket() -> None:
    policy = session_policy(normalise("s3://lake"), "read")
    assert allowed_actions(policy, "lake", "x") == READ
    assert allowed_actions(policy, "lake2", "x") == set()
    assert allows(policy, "s3:ListBucket", f"{ARN}lake")
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake2")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions(partition: str) -> None:
    policy = session_policy(normalise("s3://lake/t"), "read", partition)
    assert allows(policy, "s3:GetObject", f"arn:{partition}:s3:::lake/t/x")
    assert not allows(policy, "s3:GetObject", f"{ARN}lake/t/x")


def test_a_long_path_costs_the_listing_before_it_costs_the_keys() -> None:
    policy = session_policy(normalise(f"s3://lake/{'x' * 1000}"), "read-write")
    assert allowed_actions(policy, "lake", f"{'x' * 1000}/y") == WRITE
    assert not allows(policy, "s3:ListBucket", f"{ARN}lake", prefix=f"{'x' * 1000}/")
    with pytest.raises(PolicyTooLong, match="too long for a session policy"):
        session_policy(normalise(f"s3://lake/{'é' * 500}"), "read")


@given(paths)
def test_paths_that_only_some_stores_can_escape_are_told_apart(path: str) -> None:
    assert needs_escapes(Location("s3", "lake", path)) == bool({"*", "?", "$"} & set(path))
