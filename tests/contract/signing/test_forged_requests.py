"""Forged requests are refused, and nothing of them is signed."""

import pytest

from tests.contract.calls import ok
from tests.contract.signing.forgeries import ANSWERED, BODIES, BUCKET, FORGERIES, GOOD, Forgery, deleting
from tests.contract.signing.signed import Signed


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_forged_request_is_refused(signed: Signed, forgery: Forgery) -> None:
    answer = signed.client.post(signed.route, json=forgery.request(signed))
    assert answer.status_code in ANSWERED, answer.text
    error = answer.json()["error"]
    assert error["type"] in {"ForbiddenException", "BadRequestException"}
    for secret in (signed.minio.secret_key, "AWS4-HMAC-SHA256 Credential=" + signed.minio.access_key):
        assert secret not in answer.text
    assert error["message"].startswith(
        ("Refused to sign the request: ", "Invalid request body: ", "Cannot sign")
    )


def test_what_the_forgeries_start_from_is_signed(signed: Signed) -> None:
    for good in (
        Forgery("object"),
        Forgery("listing", BUCKET + "?list-type=2&prefix={path}/"),
        Forgery("copy", method="PUT", headers={"x-amz-copy-source": "/{bucket}/{path}/y"}),
        Forgery("deletion", BUCKET + "?delete", "POST", body=deleting(GOOD)),
    ):
        ok(signed.client.post(signed.route, json=good.request(signed)))
    assert len(FORGERIES) >= 200
    assert len(BODIES) >= 40
