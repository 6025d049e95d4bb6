"""Paths in manifests, and files that want to break their reader."""

import io
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cramjam
import fastavro
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationException
from app.metadata.manifests import content_paths, manifest_paths

LIMIT = 1 << 20
MANIFEST_LIST = {
    "type": "record",
    "name": "manifest_file",
    "fields": [{"name": "manifest_path", "type": "string"}, {"name": "manifest_length", "type": "long"}],
}
MANIFEST = {
    "type": "record",
    "name": "manifest_entry",
    "fields": [
        {"name": "status", "type": "int"},
        {
            "name": "data_file",
            "type": {
                "type": "record",
                "name": "r2",
                "fields": [
                    {"name": "content", "type": "int"},
                    {"name": "file_path", "type": "string"},
                    {"name": "file_format", "type": "string"},
                ],
            },
        },
    ],
}
SYNC = bytes(range(16))


def container(schema: dict[str, Any], records: list[dict[str, Any]], codec: str = "deflate") -> bytes:
    """An Avro file with ten records in a block; fastavro's own writer lacks a codec."""
    parts = [b"Obj\x01", number(2)]
    for text in ("avro.schema", json.dumps(schema), "avro.codec", codec):
        parts += [number(len(text.encode())), text.encode()]
    parts += [number(0), SYNC]
    for start in range(0, len(records), 10):
        block = io.BytesIO()
        for record in records[start : start + 10]:
            fastavro.schemaless_writer(block, schema, record)
        packed = PACK.get(codec, bytes)(block.getvalue())
        parts += [number(len(records[start : start + 10])), number(len(packed)), packed, SYNC]
    return b"".join(parts)


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data)) + zlib.crc32(data).to_bytes(4, "big")


PACK: dict[str, Callable[[bytes], bytes]] = {
    "deflate": deflated,
    "snappy": snappy,
    "zstandard": zstandard.compress,
}


def entries(*paths: str) -> list[dict[str, Any]]:
    return [
        {
            "status": status % 3,
            "data_file": {"content": status % 3, "file_path": path, "file_format": "PUFFIN"},
        }
        for status, path in enumerate(paths)
    ]


def forged(count: int, block: bytes, codec: str) -> bytes:
    """A container with one block that says and holds what it likes."""
    head = container(MANIFEST, [], codec)
    return head + number(count) + number(len(block)) + block + SYNC


def number(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_all_paths_of_all_blocks_are_found(codec: str) -> None:
    paths = [f"s3://bucket/t/data/ü-{index}.parquet" for index in range(500)]
    assert list(content_paths(container(MANIFEST, entries(*paths), codec), LIMIT)) == paths
    lists = [{"manifest_path": path, "manifest_length": 1} for path in paths]
    assert list(manifest_paths(container(MANIFEST_LIST, lists, codec), LIMIT)) == paths


def test_an_empty_manifest_names_nothing() -> None:
    assert list(content_paths(container(MANIFEST, []), LIMIT)) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a readable Avro file"),
        (b"no avro", "not a readable Avro file"),
        (container(MANIFEST, entries("a"))[:-20], "cut short"),
        (container(MANIFEST, entries("a"))[:-1], "cut short"),
        (forged(1, deflated(b"\0\0\2a\0")[:-2], "deflate"), "cut short"),
        (container(MANIFEST_LIST, [{"manifest_path": "a", "manifest_length": 1}]), "names no file"),
        (container(MANIFEST, entries("a"), "bzip2"), "codec 'bzip2' is not supported"),
        (forged(5, deflated(bytes(LIMIT * 8)), "deflate"), "larger than 1048576 bytes"),
        (forged(5, zstandard.compress(bytes(LIMIT * 8)), "zstandard"), "larger than 1048576 bytes"),
        (forged(5, snappy(bytes(LIMIT * 8)), "snappy"), "larger than 1048576 bytes"),
        (forged(1, snappy(b"\0\0\2a\0")[:-1] + b"x", "snappy"), "wrong checksum"),
        (forged(1, b"no snappy at all", "snappy"), "not a readable Avro file"),
        (forged(2**62, b"\0\0", "null"), "wrong number of records"),
        (forged(-3, b"\0\0", "null"), "wrong number of records"),
        (container(MANIFEST, []) + b"\xff" * 20, "integer is too long"),
        (container(MANIFEST, []) + number(1), "block has no size"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ValidationException, match=reason):
        list(content_paths(data, LIMIT))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_damaged_files_fail_in_one_way_only(noise: bytes, position: int) -> None:
    data = container(MANIFEST, entries("a", "b", "c"))
    damaged = data[:position] + noise + data[position + len(noise) :]
    with suppress(ValidationException):
        assert all(isinstance(path, str) for path in content_paths(damaged, LIMIT))
