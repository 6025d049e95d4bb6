"""Secrets at rest: only the same key and owner read them."""

import base64
import os

import pytest

from app.storage.sealing import SealBroken, decode_keys, seal, unseal

KEY = bytes(range(32))


def test_sealed_is_read_back_and_hides_its_content() -> None:
    sealed = seal(KEY, "sales", b"very secret")
    assert unseal([KEY], "sales", sealed) == b"very secret"
    assert b"secret" not in sealed
    assert seal(KEY, "sales", b"very secret") != sealed


@pytest.mark.parametrize("position", [0, 1, 12, 13, -1])
def test_changed_bytes_are_noticed(position: int) -> None:
    sealed = bytearray(seal(KEY, "sales", b"very secret"))
    sealed[position] ^= 1
    with pytest.raises(SealBroken):
        unseal([KEY], "sales", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"x" * 12])
def test_fragments_are_refused(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal([KEY], "sales", sealed)


def test_other_key_or_owner_is_refused() -> None:
    sealed = seal(KEY, "sales", b"very secret")
    with pytest.raises(SealBroken):
        unseal([os.urandom(32)], "sales", sealed)
    with pytest.raises(SealBroken):
        unseal([KEY], "other", sealed)


def test_keys_are_32_bytes_of_base64() -> None:
    text = base64.b64encode(KEY).decode()
    assert decode_keys(text) == [KEY]
    assert decode_keys(f"{text}, {text}") == [KEY, KEY]
    assert decode_keys("") == []
    for wrong in ("x", "not base64!", base64.b64encode(KEY[:31]).decode(), KEY.hex(), f"{text},", f",{text}"):
        assert decode_keys(wrong) is None


def test_older_keys_still_unseal() -> None:
    sealed = seal(KEY, "sales", b"very secret")
    assert unseal([os.urandom(32), KEY], "sales", sealed) == b"very secret"
    with pytest.raises(SealBroken):
        unseal([], "sales", sealed)
