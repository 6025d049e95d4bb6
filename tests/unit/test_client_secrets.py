"""Client secrets as they are stored and compared."""

import time
from pathlib import Path

import pytest

from app.auth.keys import hash_key, is_key, new_key
from app.auth.secrets import LONGEST, hash_secret, match_secret, new_secret
from app.cli.embedded.signing_key import with_signing_key
from app.config import Settings


@pytest.fixture(scope="module")
def secret() -> str:
    return new_secret()


@pytest.fixture(scope="module")
def stored(secret: str) -> str:
    return hash_secret(secret)


def test_hash_has_its_parameters_and_not_the_secret(secret: str, stored: str) -> None:
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert secret not in stored
    assert hash_secret(secret) != stored, "every hash has a salt of its own"


def test_which_secret_it_is(secret: str, stored: str) -> None:
    other = hash_secret("other")
    assert match_secret([stored, other], secret) == 0
    assert match_secret([other, stored], secret) == 1
    assert match_secret([other], secret) is None
    assert match_secret([], secret) is None
    assert match_secret(["no hash", stored], secret) == 1


def test_endless_secret_is_not_even_compared(stored: str) -> None:
    assert match_secret([stored], "x" * (LONGEST + 1)) is None


def test_time_does_not_tell_which_client_exists(stored: str) -> None:
    match_secret([], "warm")
    times = {len(hashes): effort(hashes) for hashes in ([], [stored], [stored, stored])}
    assert max(times.values()) < 1.7 * min(times.values()), times


def effort(hashes: list[str]) -> float:
    """Return the processor time of the quickest of several refusals."""
    found = []
    for _ in range(15):
        began = time.process_time()
        assert match_secret(hashes, "wrong") is None
        found.append(time.process_time() - began)
    return min(found)


def test_keys() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(is_key(key) and len(key) == 51 for key in keys)
    assert len({hash_key(key) for key in keys}) == 100
    for text in ("", "bingsan_", f"{new_key()}x", new_key()[:-1], new_key().upper(), f" {new_key()}"):
        assert not is_key(text)


def test_signing_key_is_made_only_where_it_is_needed(tmp_path: Path) -> None:
    environ = {"ICEBERG_DATABASE_EMBEDDED": "true", "ICEBERG_HOME": str(tmp_path)}
    settings = Settings.load(environ=environ)
    assert with_signing_key(settings).auth.signing_key == ""
    wanted = Settings.load(
        environ={**environ, "ICEBERG_AUTH_ENABLED": "true", "ICEBERG_AUTH_OAUTH2_ENABLED": "true"}
    )
    made = with_signing_key(wanted).auth.signing_key
    assert made
    assert with_signing_key(wanted).auth.signing_key == made
    assert [path.name for path in tmp_path.iterdir()] == ["signing-key"]
