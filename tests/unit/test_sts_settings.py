"""Where temporary keys are asked for, and of which part of AWS a role is."""

import pytest

from app.storage.profiles import StsProfile
from app.storage.roles import partition, session_problem, ways_problem
from app.storage.sts import StsSettings

ROLE = "arn:aws:iam::123456789012:role/lake"


def settings(store: str, own: str = "") -> StsSettings:
    return StsSettings(
        profile=StsProfile(endpoint=own),
        store=store,
        region="eu-central-1",
        access_key_id="key",
        secret_access_key="hidden",
    )


@pytest.mark.parametrize(
    ("store", "own", "on_aws", "endpoint"),
    [
        ("", "", True, None),
        ("", "https://sts.example.com", True, "https://sts.example.com"),
        ("https://s3.eu-central-1.amazonaws.com", "", True, None),
        ("https://s3.cn-north-1.amazonaws.com.cn", "", True, None),
        ("https://minio.example.com:9000", "", False, "https://minio.example.com:9000"),
        ("https://minio.example.com", "https://sts.example.com", False, "https://sts.example.com"),
        ("https://amazonaws.com.example.com", "", False, "https://amazonaws.com.example.com"),
        ("https://notamazonaws.com", "", False, "https://notamazonaws.com"),
    ],
)
def test_where_keys_are_asked_for(store: str, own: str, on_aws: bool, endpoint: str | None) -> None:
    found = settings(store, own)
    assert (found.on_aws, found.endpoint) == (on_aws, endpoint)
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (ROLE, "aws"),
        (ROLE.replace("aws", "aws-cn"), "aws-cn"),
        (ROLE.replace("aws", "aws-us-gov"), "aws-us-gov"),
        ("arn:minio:iam:::role/lake-tables", "aws"),
        ("", "aws"),
    ],
)
def test_the_part_of_aws(role: str, expected: str) -> None:
    assert partition(role) == expected


@pytest.mark.parametrize(
    ("role", "external", "on_aws", "member"),
    [
        (ROLE, "", True, None),
        (ROLE, "a:b/c=d,e.f@g-h_i+j", True, None),
        ("", "", False, None),
        ("", "", True, "role_arn"),
        ("arn:aws:iam::123456789012:user/lake", "", True, "role_arn"),
        ("arn:aws:iam::123456789012:role/la ke", "", False, "role_arn"),
        (f"{ROLE}\n", "", True, "role_arn"),
        (ROLE + "x" * 2048, "", True, "role_arn"),
        (ROLE, "x", True, "external_id"),
        (ROLE, "x y", True, "external_id"),
        (ROLE, "é" * 3, True, "external_id"),
    ],
)
def test_roles_and_external_ids(role: str, external: str, on_aws: bool, member: str | None) -> None:
    problem = session_problem(role, external, on_aws=on_aws)
    assert (problem and problem[0]) == member


def test_ways() -> None:
    assert ways_problem(["vended-credentials", "remote-signing", "static-keys"]) == ""
    assert ways_problem(["Vended-Credentials"]).startswith("'Vended-Credentials' is none of")
