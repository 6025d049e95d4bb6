"""Properties that the service interprets."""

import pytest

from app.errors import ValidationException
from app.metadata.properties import (
    TABLE_CHECKS,
    VIEW_CHECKS,
    boolean_property,
    check_properties,
    integer_property,
)

GOOD = {
    "format-version": ["1", "2", "3"],
    "write.metadata.previous-versions-max": ["0", "1", "100"],
    "write.metadata.delete-after-commit.enabled": ["true", "FALSE"],
    "write.metadata.compression-codec": ["none", "gzip", "GZIP"],
    "write.metadata.path": ["s3://b/meta"],
    "write.data.path": ["s3://b/data"],
    "write.object-storage.path": ["s3://b/objects"],
    "write.folder-storage.path": ["s3://b/folders"],
    "gc.enabled": ["false"],
    "commit.retry.num-retries": ["0", "4"],
    "commit.retry.min-wait-ms": ["100"],
    "commit.retry.max-wait-ms": ["60000"],
    "commit.retry.total-timeout-ms": ["2147483647"],
    "history.expire.max-snapshot-age-ms": ["432000000", "9223372036854775807"],
    "history.expire.min-snapshots-to-keep": ["1"],
    "history.expire.max-ref-age-ms": ["1"],
}
BAD = {
    "format-version": ["0", "4", "abc", "2.0", "", " 2"],
    "write.metadata.previous-versions-max": ["-1", "", "x", "1.5", "2147483648", "\u0661"],
    "write.metadata.delete-after-commit.enabled": ["yes", "", "1"],
    "write.metadata.compression-codec": ["zstd", ""],
    "write.metadata.path": ["", "/", " "],
    "write.data.path": [""],
    "write.object-storage.path": [""],
    "write.folder-storage.path": [""],
    "gc.enabled": ["no"],
    "commit.retry.num-retries": ["", "-1", "many"],
    "commit.retry.min-wait-ms": ["-1"],
    "commit.retry.max-wait-ms": ["1s"],
    "commit.retry.total-timeout-ms": ["2147483648"],
    "history.expire.max-snapshot-age-ms": ["xyz", "0", "-5", "9223372036854775808"],
    "history.expire.min-snapshots-to-keep": ["0"],
    "history.expire.max-ref-age-ms": ["forever"],
}
VIEW_GOOD = {"version.history.num-entries": ["1", "10"], "replace.drop-dialect.allowed": ["true"]}
VIEW_BAD = {"version.history.num-entries": ["0", "-1", "x"], "replace.drop-dialect.allowed": ["maybe"]}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_check_is_covered() -> None:
    assert set(GOOD) == set(BAD) == set(TABLE_CHECKS)
    assert {*VIEW_GOOD, "gc.enabled"} <= set(VIEW_CHECKS) <= {*VIEW_GOOD, *GOOD}


@pytest.mark.parametrize(("name", "value"), cases(GOOD))
def test_good_values(name: str, value: str) -> None:
    check_properties({name: value}, TABLE_CHECKS)


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_bad_values_name_the_property(name: str, value: str) -> None:
    with pytest.raises(ValidationException, match=f"Invalid value for property {name}: "):
        check_properties({"other": "x", name: value}, TABLE_CHECKS)


@pytest.mark.parametrize(("name", "value"), cases(VIEW_GOOD))
def test_good_values_of_views(name: str, value: str) -> None:
    check_properties({name: value}, VIEW_CHECKS)


@pytest.mark.parametrize(("name", "value"), cases(VIEW_BAD))
def test_bad_values_of_views(name: str, value: str) -> None:
    with pytest.raises(ValidationException, match=name):
        check_properties({name: value}, VIEW_CHECKS)


def test_unknown_properties_pass() -> None:
    check_properties({"commit.retry.num-retries.x": "-1", "": "", "format_version": "9"}, TABLE_CHECKS)


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5), ("-5", -5), ("five", 7), ("", 7), ("9" * 30, 7), ("²", 7)]
)
def test_integers_of_adopted_files(text: str, number: int) -> None:
    assert integer_property({"n": text}, "n", 7) == number


def test_absent_properties() -> None:
    assert integer_property({}, "n", 7) == 7
    assert not boolean_property({}, "b")
    assert boolean_property({"b": "TRUE"}, "b")
