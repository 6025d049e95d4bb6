"""How a warehouse says in which ways clients are let at its files."""

from typing import Any

import pytest

from tests.contract.calls import assert_error, ok
from tests.contract.managed import Grounds, change, create, path_of, s3_profile, try_create
from tests.support.minio import Minio
from tests.support.server import Client

BUCKET = "delegating"
ROLE = "arn:aws:iam::123456789012:role/lake"
VENDED = {"delegation": ["vended-credentials"]}


@pytest.fixture(scope="module", autouse=True)
def bucket(minio: Minio) -> str:
    return minio.create_bucket(BUCKET)


def test_nothing_is_offered_unless_it_is_said(manager: Client, minio: Minio) -> None:
    made = create(manager, s3_profile(minio, BUCKET))["storage-profile"]
    assert (made["delegation"], made["sts"]) == ([], None)


def test_what_is_offered_is_shown_and_can_be_sent_back(manager: Client, minio: Minio) -> None:
    made = create(manager, s3_profile(minio, BUCKET, delegation=["remote-signing", "static-keys"]))
    assert made["storage-profile"]["delegation"] == ["remote-signing", "static-keys"]
    assert made["storage-profile"]["sts"] is None
    again = ok(change(manager, made, storage_profile=made["storage-profile"]))
    assert again["storage-profile"] == made["storage-profile"]
    without = {**made["storage-profile"], "delegation": []}
    assert ok(change(manager, made, storage_profile=without))["storage-profile"]["delegation"] == []
    assert ok(manager.get(path_of(made)))["storage-profile"]["delegation"] == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"delegation": ["signing"]}, "delegation: 'signing' is none of vended-credentials, remote-signing,"),
        ({"sts": {}}, "sts: without vended-credentials or remote-signing in delegation it has no use"),
        ({"delegation": ["static-keys"], "sts": {"role-arn": ROLE}}, "sts: without vended-credentials"),
        ({**VENDED, "endpoint": ""}, "sts.role-arn: vended-credentials need a role on AWS"),
        ({**VENDED, "sts": {"role-arn": "admin"}}, "sts.role-arn: expected arn:aws:iam::"),
        ({**VENDED, "sts": {"role-arn": ROLE, "external-id": "a b"}}, "sts.external-id: expected 2 to 1224"),
        ({**VENDED, "sts": {"session-duration-seconds": 899}}, "sts.session-duration-seconds 899: expected"),
        ({**VENDED, "sts": {"session-duration-seconds": 43201}}, "sts.session-duration-seconds 43201:"),
        (
            {"delegation": ["static-keys"], "credentials": {"type": "default"}},
            "delegation: static-keys need keys of the warehouse's own, not the default ones",
        ),
        ({"delegation": ["static-keys"], "credentials": None}, "delegation: static-keys need keys"),
    ],
)
def test_what_cannot_be_offered(manager: Client, minio: Minio, members: dict[str, Any], message: str) -> None:
    answer = try_create(manager, s3_profile(minio, BUCKET, **members))
    error = assert_error(answer, 400, "BadRequestException")
    assert error.startswith(f"Invalid storage-profile.{message}")


def test_sts_must_not_lead_into_the_own_network(manager: Client, minio: Minio) -> None:
    for endpoint in ("http://127.0.0.1:1", "http://169.254.169.254"):
        profile = s3_profile(minio, BUCKET, **VENDED, sts={"role-arn": ROLE, "endpoint": endpoint})
        error = assert_error(try_create(manager, profile), 400, "IllegalArgumentException")
        assert error.startswith(f"Invalid storage-profile.sts.endpoint '{endpoint}'")


def test_local_files_have_no_keys_to_give(manager: Client, grounds: Grounds) -> None:
    for members in (VENDED, {"delegation": ["remote-signing"]}, {"sts": {"role-arn": ROLE}}):
        answer = try_create(manager, grounds.local(**members))
        (member,) = members
        assert_error(
            answer, 400, "BadRequestException", f"Invalid storage-profile.{member}: local files have none"
        )
