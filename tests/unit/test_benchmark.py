"""The arithmetic of ``make bench``: what rounds become, what counts as reached, what comes back from the wire."""

import math
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import judgement
from tests.benchmark.arithmetic import (
    arrivals,
    below,
    growth,
    noise,
    percentile,
    ratio,
    ratio_noise,
    verdict,
    within,
)
from tests.benchmark.content import CASES
from tests.benchmark.growth import row
from tests.benchmark.report import disturbance, hot_share, shown, table
from tests.benchmark.responses import BrokenAnswerError, Responses
from tests.benchmark.throughput import Figures
from tests.benchmark.wire import NAME_LENGTH, PLACE, Address, Case, quoted, requests_of

ADDRESS = Address("http://127.0.0.1:8181", "secret-of-the-test")


def figures(name: str, value: float, **more: Any) -> Figures:
    given = dict.fromkeys(Figures.__dataclass_fields__, 0.0) | {
        "ratio": value,
        "cpu_ratio": value,
        "connections": 10,
    }
    return Figures(**{**given, "name": name, **more})


def test_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 0.999, 1)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.99) == 0


def test_ratio_is_that_of_the_medians() -> None:
    assert ratio([10, 30, 1000], [10, 10, 20, 1]) == 3


def test_noise_is_half_the_distance_of_the_quartiles() -> None:
    assert noise([100]) == 0
    assert noise([80, 90, 100, 110, 120]) == pytest.approx(0.1)
    assert noise([0, 0, 0]) == 0
    assert ratio_noise([80, 90, 100, 110, 120], [80, 90, 100, 110, 120]) == pytest.approx(math.sqrt(2) / 10)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (2.4, "reached"),
        (2.5, "reached"),
        (2.0, "above 0.8"),
        (1.92, "above 0.8"),
        (1.91, "missed"),
        (0, "missed"),
    ],
)
def test_verdict(figure: float, expected: str) -> None:
    assert verdict(figure, 2.4) == expected


def test_verdict_where_less_is_better() -> None:
    assert [within(figure, 3.0) for figure in (0, 2.9, 3.0, 3.7, 3.8)] == [
        "reached",
        "reached",
        "reached",
        "above 0.8",
        "missed",
    ]


def test_too_low_is_below_four_fifths_of_what_was_kept() -> None:
    assert not below(0.8, 1.0)
    assert below(0.79, 1.0)
    measured = [figures("a", 0.8), figures("b", 0.79), figures("new", 0.01), figures("failing", 9, failed=1)]
    kept = {name: {10: judgement.Kept(1.0, 1.0)} for name in ("a", "b", "failing")}
    assert [one.name for one in judgement.too_low(measured, kept)] == ["b", "failing"]


def test_neither_ratio_alone_says_that_the_service_is_slower() -> None:
    kept = judgement.Kept(1.0, 2.0)
    assert judgement.is_slower(figures("a", 0.5, cpu_ratio=1.5), kept)
    assert not judgement.is_slower(figures("a", 0.5, cpu_ratio=1.6), kept)
    assert not judgement.is_slower(figures("a", 0.8, cpu_ratio=1.5), kept)
    assert not judgement.is_slower(figures("a", 0.1), None)


def test_growth_is_from_the_first_to_the_last() -> None:
    assert growth([10, 12, 15]) == 1.5
    assert growth([0, 0.5, 0.9]) == 1


def test_lists_may_grow_with_what_is_listed() -> None:
    costs = [
        {"pages": float(pages), "cpu_us": float(time), "database_cpu_us": 0.0}
        for pages, time in ((10, 100), (100, 1000))
    ]
    assert row("list", costs, [500, 5000])["verdict"] == "constant"
    assert row("load", costs, [0, 0])["verdict"] == "grows"
    assert row("load", costs, [0, 0])["growth_pages"] == 10


def test_arrivals_come_at_a_constant_rate() -> None:
    assert arrivals(4, 1) == [0, 0.25, 0.5, 0.75]
    assert arrivals(4, 0.5, shift=0.5) == [0.125, 0.375]
    assert len(arrivals(1000, 10)) == 10_000


def test_kept_figures_survive_being_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "figures.toml"
    path.write_text(
        "fsync_ms = 0.1\n[cases]\nold = {10 = [2.0, 1.5]}\ntable_5k = {10 = [1.0, 1.0], 100 = [3.0, 3.0]}\n"
    )
    monkeypatch.setattr(judgement, "KEPT", path)
    measured = [figures("table_5k", 2.5, cpu_ratio=2.3), figures("new", 0.014, connections=100)]
    path.write_text(judgement.keep(measured, 0.25))
    assert judgement.read_kept() == {
        "old": {10: (2.0, 1.5)},
        "table_5k": {10: (2.4, 2.3), 100: (3.0, 3.0)},  # no more than the target
        "new": {100: (0.014, 0.014)},
    }
    assert judgement.kept_fsync_ms() == 0.25
    assert judgement.same_disk(0.37, 0.25)
    assert not judgement.same_disk(0.38, 0.25)


def test_targets_and_kept_figures_are_of_cases_that_there_are() -> None:
    assert set(judgement.read_targets()) <= {*CASES, *judgement.SAME}
    assert set(judgement.read_kept()) <= set(CASES)
    assert judgement.kept_fsync_ms() >= 0


def test_a_case_may_have_two_targets() -> None:
    targets = {"create_namespace": {10: 0.5}, "create_namespace_coalesced": {10: 0.53}}
    assert judgement.targets_of("create_namespace", 10, targets) == [
        ("create_namespace", 0.5),
        ("create_namespace_coalesced", 0.53),
    ]
    assert judgement.targets_of("health", 10, targets) == [("health", None)]


ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\nCONTENT"
    b"HTTP/1.1 204 NO CONTENT\r\nDate: x\r\n\r\n"
    b"HTTP/1.1 304 NOT MODIFIED\r\nContent-Length: 1000\r\n\r\n"
    b"HTTP/1.1 409 CONFLICT\r\ncontent-length: 0\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
)


def test_answers_are_found_wherever_they_are_split() -> None:
    expected = [200, 204, 304, 409, 200]
    for first, second in product(range(0, len(ANSWERS), 3), repeat=2):
        cuts = sorted((first, second))
        responses = Responses()
        pieces = [ANSWERS[: cuts[0]], ANSWERS[cuts[0] : cuts[1]], ANSWERS[cuts[1] :]]
        assert [status for piece in pieces for status in responses.feed(piece)] == expected, cuts
    responses = Responses()
    assert [status for byte in ANSWERS for status in responses.feed(bytes([byte]))] == expected


def test_an_answer_is_complete_with_its_last_byte() -> None:
    responses = Responses()
    assert responses.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc") == []
    assert responses.feed(b"d") == [200]


def test_answers_to_head_have_no_body() -> None:
    responses = Responses(bodiless=True)
    assert responses.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" * 2) == [200, 200]


@pytest.mark.parametrize(
    "data", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_answers_without_a_length_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        Responses().feed(data)


def test_requests_have_the_heads_of_both_clients() -> None:
    case = Case("load", "GET /v1/{prefix}/namespaces/{namespace}", ["/v1/namespaces/a"])
    first, second = requests_of(case, ADDRESS)
    assert first.startswith("GET /v1/namespaces/a HTTP/1.1\r\n")
    assert "User-Agent: PyIceberg/" in first
    assert "User-Agent: Apache-HttpClient/" in second
    for text in (first, second):
        assert "Authorization: Bearer secret-of-the-test\r\n" in text
        assert "Host: 127.0.0.1:8181\r\n" in text
        assert "Accept-Encoding: gzip" in text
        assert text.endswith("\r\n\r\n")


def test_plain_requests_ask_for_no_compression() -> None:
    case = Case("load", "GET /v1/{prefix}/namespaces/{namespace}", ["/v1/namespaces/a"], plain=True)
    assert not [text for text in requests_of(case, ADDRESS) if "encoding" in text.lower()]


def test_targets_take_turns_with_the_clients() -> None:
    body = f'{{"x":"{PLACE}","y":"ö"}}'.encode().decode("latin-1")
    case = Case("commit", "POST /v1/{prefix}/namespaces", [f"/{number}" for number in range(4)], body=body)
    texts = requests_of(case, ADDRESS)
    assert [text.split()[1] for text in texts] == ["/0", "/1", "/2", "/3"]
    assert ["PyIceberg" in text for text in texts] == [True, False, True, False]
    for text in texts:
        head, _, sent = text.replace(PLACE, "n" * NAME_LENGTH).partition("\r\n\r\n")
        assert f"\r\nContent-Length: {len(sent.encode('latin-1'))}" in head


def test_no_client_asks_for_health() -> None:
    assert requests_of(Case("health", "GET /health", ["/health"]), ADDRESS) == [
        "GET /health HTTP/1.1\r\nHost: 127.0.0.1:8181\r\n\r\n"
    ]


def test_requests_become_literals_of_lua() -> None:
    assert quoted('a"b\\c\r\n') == '"a\\"b\\\\c\\r\\n"'


def test_what_else_ran_is_told() -> None:
    assert "can be compared" in disturbance([figures("a", 1, others=0.1)])
    assert "30.0 % of what the machine did: rates say little" in disturbance(
        [figures("a", 1, others=0.3), figures("b", 1)]
    )


def test_hot_share_is_of_all_answers_to_reads() -> None:
    measured = [figures("table_5k", 1, hot=1.0, rps=900.0), figures("namespace", 1, hot=0.5, rps=100.0)]
    written = figures("commit_5k", 1, hot=0.0, rps=1000.0)
    assert "95.0 %" in hot_share([*measured, written])
    assert "above 0.8" in hot_share([*measured, written])
    assert hot_share([written, figures("table_5k", 1, hot=None)]) == "No answers of a hot path were counted."


def test_tables_are_markdown() -> None:
    lines = list(
        table({"case": "name", "±": "noise", "rate": "rps"}, [{"name": "a", "noise": 0.1234, "rps": 12345.6}])
    )
    assert lines == ["| case | ± | rate |", "|---|---|---|", "| a | 12.3 % | 12,346 |", ""]
    assert [shown(value) for value in (None, 0.01234, 999.9, 12345, [1.5, 2.0])] == [
        "",
        "0.0123",
        "1,000",
        "12,345",
        "1.5, 2",
    ]
