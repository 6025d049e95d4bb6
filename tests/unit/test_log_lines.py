"""Log entries become one line of JSON each, whatever they hold."""

import json
import logging
from datetime import datetime

import pytest

from app.observability import logs
from app.observability.lines import LONGEST, EventEntry, RequestEntry, render
from app.observability.redaction import mask_text

REQUEST = RequestEntry(
    time=1_700_000_000.25,
    level="WARN",
    method="GET",
    path="/v1/namespaces/a%1Fb",
    status=404,
    duration=0.0123456,
    request_id="r-1",
    route="/v1/namespaces/{namespace}",
    principal="reader",
    warehouse="default",
    bytes_in=0,
    bytes_out=120,
    error="NoSuchNamespaceException: Namespace does not exist: a.b",
    client_address="192.0.2.7",
)


def event(**fields: object) -> dict:
    line = render(EventEntry(1_700_000_000.0, "INFO", "something happened", fields))
    assert line.endswith(b"\n")
    assert len(line) <= LONGEST
    return json.loads(line)


def test_request_line_has_the_documented_keys():
    line = json.loads(render(REQUEST))
    assert list(line) == [
        "time", "level", "msg", "method", "path", "status", "duration_ms", "request_id", "error",
        "route", "principal", "warehouse", "bytes", "bytes_received", "client_address",
    ]  # fmt: skip
    assert line["msg"] == "request completed"
    assert line["duration_ms"] == 12.346
    assert line["bytes"] == 120
    assert datetime.fromisoformat(line["time"]).timestamp() == 1_700_000_000.25


def test_request_line_of_a_request_without_fault_has_a_null_error():
    assert json.loads(render(REQUEST._replace(error=None)))["error"] is None


@pytest.mark.parametrize("path", ["/" + "x" * 8000, "/" + "\\" * 8000, "/" + "é" * 8000, "/" + "\x01" * 8000])
def test_a_long_path_is_cut_so_that_the_line_stays_in_one_piece(path: str):
    line = render(REQUEST._replace(path=path, error="e" * 9000))
    assert len(line) <= LONGEST
    assert json.loads(line)["path"].startswith(path[:100])


def test_half_a_surrogate_pair_does_not_break_the_line():
    assert json.loads(render(REQUEST._replace(path="/\udcff")))["path"] == "/?"
    assert event(name="\udcff")["name"] == "?"


def test_event_keys_follow_time_level_and_msg():
    assert list(event(address="127.0.0.1:8181", port=8181)) == ["time", "level", "msg", "address", "port"]


def test_event_keys_never_replace_the_leading_ones():
    line = event(level="x", msg="y")
    assert (line["level"], line["msg"]) == ("INFO", "something happened")
    assert (line["level_"], line["msg_"]) == ("x", "y")


def test_values_json_has_no_form_for_become_text():
    class Odd:
        def __str__(self) -> str:
            return "odd"

    line = event(a=Odd(), b={1: {2}}, c=2**70, d=b"raw", e=float("nan"))
    assert line["a"] == "odd"
    assert line["b"] == {"1": [2]}
    assert line["c"] == str(2**70)
    assert line["e"] is None


def test_a_value_that_cannot_be_shown_costs_its_line_only():
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    line = event(value=Broken())
    assert line["level"] == "ERROR"
    assert line["msg"] == "log entry not rendered"


def test_very_long_events_are_cut_at_their_longest_value():
    line = event(short="kept", long="x" * 100_000, many=["frame"] * 5000)
    assert line["short"] == "kept"
    assert line["many"][-1] == "frame"


def test_events_of_very_many_keys_are_cut_too():
    assert event(**{f"key{number}": number for number in range(2000)})["msg"] == "something happened"


@pytest.mark.parametrize(
    "key", ["password", "s3.secret-access-key", "access_token", "api_key", "Authorization", "signing_key"]
)
def test_secret_keys_have_no_value(key: str):
    assert event(**{key: "hunter2"})[key] == "***"
    assert event(nested={key: "hunter2"})["nested"][key] == "***"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2",
        "postgresql://iceberg:hunter2@localhost/db",
        "password=hunter2 host=localhost",
        'invalid: {"client_secret": "hunter2"}',
        "s3.secret-access-key = hunter2",
        "key bingsan_hunter2hunter2hunter2hunter2",
        "shown eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.hunter2",
    ],
)
def test_secrets_in_text_are_masked(text: str):
    assert "hunter2" not in mask_text(text)
    assert "hunter2" not in json.dumps(event(detail=text, list=[text]))
    assert b"hunter2" not in render(REQUEST._replace(error=text))
    assert b"hunter2" not in render(EventEntry(0.0, "INFO", text, {}))


@pytest.mark.parametrize(
    "secret", ["bingsan_hunter2hunter2hunter2hunter2", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.hunter2"]
)
def test_secrets_in_paths_are_masked(secret: str):
    line = json.loads(render(REQUEST._replace(path=f"/v1/namespaces/{secret}/tables")))
    assert "hunter2" not in line["path"]
    assert line["path"].startswith("/v1/namespaces/")


def test_text_without_secrets_is_untouched():
    text = "Table does not exist: tokens.secrets at s3://bucket/password/x"
    assert mask_text(text) == text


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    lines: list[dict] = []
    monkeypatch.setattr(logs.writer, "submit", lambda entry: lines.append(json.loads(render(entry))))
    return lines


def test_an_exception_brings_its_type_message_and_innermost_frames(written: list[dict]):
    def inner() -> None:
        raise ValueError("password=hunter2 is wrong")

    try:
        inner()
    except ValueError as error:
        logs.get_logger("app.test").error("failed", error=error)
    [line] = written
    assert line["error"] == "ValueError: password=*** is wrong"
    assert line["stack"][-2].startswith("tests/unit/test_log_lines.py:")
    assert line["stack"][-2].endswith(" inner")
    assert line["logger"] == "app.test"


def test_lines_below_the_level_are_not_written(written: list[dict]):
    logs.set_level("warn")
    try:
        logs.get_logger().info("quiet")
        logs.get_logger().warning("loud")
    finally:
        logs.set_level("info")
    assert [line["msg"] for line in written] == ["loud"]


def test_standard_logging_becomes_lines(written: list[dict]):
    logger = logging.Logger("botocore")
    logger.addHandler(logs.JsonHandler())
    logger.warning("retry %d of %s", 1, "x")
    logger.warning("wrong arguments %d", "x")
    try:
        raise OSError("gone")
    except OSError:
        logger.exception("lost")
    assert [line["msg"] for line in written] == ["retry 1 of x", "wrong arguments %d ('x',)", "lost"]
    assert [line["level"] for line in written] == ["WARN", "WARN", "ERROR"]
    assert {line["logger"] for line in written} == {"botocore"}
    assert written[2]["error"] == "OSError: gone"


@pytest.mark.parametrize(("status", "level"), [(200, "INFO"), (304, "INFO"), (404, "WARN"), (503, "ERROR")])
def test_request_level(status: int, level: str):
    assert logs.request_level(status) == level
