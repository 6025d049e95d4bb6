"""Names and places of metadata files."""

from typing import Any

import pytest

from app.errors import ValidationException
from app.metadata.files import (
    metadata_codec,
    metadata_directory,
    metadata_file_location,
    superseded_metadata_files,
    write_paths,
)


def metadata(location: str = "s3://bucket/t", **properties: str) -> dict[str, Any]:
    return {"location": location, "properties": properties}


@pytest.mark.parametrize(
    ("current", "name"),
    [
        (None, "00000-u"),
        ("s3://bucket/t/metadata/00000-abc.metadata.json", "00001-u"),
        ("s3://bucket/t/metadata/00009-abc.gz.metadata.json", "00010-u"),
        ("s3://bucket/t/metadata/00041-abc.metadata.json.gz", "00042-u"),
        ("s3://bucket/t/metadata/99999-abc.metadata.json", "100000-u"),
        ("file:/t/metadata/7-abc.metadata.json", "00008-u"),
        ("s3://bucket/t/metadata/v3.metadata.json", "00000-u"),
        ("s3://bucket/t/metadata/abc-00007.metadata.json", "00000-u"),
        ("s3://bucket/00007-t/metadata/x.json", "00000-u"),
        ("", "00000-u"),
    ],
)
def test_versions_count_up(current: str | None, name: str) -> None:
    location = metadata_file_location(metadata(), current, "u", default_codec="none")
    assert location == f"s3://bucket/t/metadata/{name}.metadata.json"


@pytest.mark.parametrize(
    ("properties", "default", "codec"),
    [
        ({}, "none", "none"),
        ({}, "gzip", "gzip"),
        ({"write.metadata.compression-codec": "GZIP"}, "none", "gzip"),
        ({"write.metadata.compression-codec": "None"}, "gzip", "none"),
    ],
)
def test_codec(properties: dict[str, str], default: str, codec: str) -> None:
    document = metadata(**properties)
    assert metadata_codec(document, default) == codec
    location = metadata_file_location(document, None, "u", default_codec=default)
    assert location.endswith("-u.gz.metadata.json" if codec == "gzip" else "-u.metadata.json")


def test_unknown_codec() -> None:
    with pytest.raises(ValidationException, match=r"write.metadata.compression-codec: 'zstd'"):
        metadata_codec(metadata(**{"write.metadata.compression-codec": "zstd"}), "none")


def test_directory() -> None:
    assert metadata_directory(metadata("s3://bucket/t/")) == "s3://bucket/t/metadata"
    elsewhere = metadata(**{"write.metadata.path": "s3://other/m//"})
    assert metadata_directory(elsewhere) == "s3://other/m"
    assert metadata_directory({"location": "s3://bucket/t"}) == "s3://bucket/t/metadata"


def test_write_paths() -> None:
    document = metadata(
        **{
            "write.data.path": "s3://d/",
            "write.metadata.path": "s3://m",
            "write.object-storage.path": "s3://o",
            "write.folder-storage.path": "s3://d",
            "write.other.path": "s3://x",
        }
    )
    assert write_paths(document) == ["s3://bucket/t", "s3://d", "s3://m", "s3://o"]
    assert write_paths(metadata()) == ["s3://bucket/t"]


def logged(*files: str) -> dict[str, Any]:
    return {"metadata-log": [{"metadata-file": file, "timestamp-ms": 1} for file in files]}


def test_superseded_files() -> None:
    enabled = metadata(**{"write.metadata.delete-after-commit.enabled": "True"})
    old, new = logged("a", "b", "c"), logged("c", "d")
    assert superseded_metadata_files(old, {**new, **enabled}) == ["a", "b"]
    assert superseded_metadata_files(old, {**new, **metadata()}) == []
    assert superseded_metadata_files({**old, **enabled}, {**new, **metadata()}) == []
    assert superseded_metadata_files({}, enabled) == []
    assert superseded_metadata_files(logged("a", "a"), enabled) == ["a"]
