"""Whatever nearly right JSON makes us write, Iceberg's library can load it."""

from functools import partial
from random import Random
from typing import Any

from app.metadata.table import new_table_metadata, parse_table_metadata
from app.metadata.updates import apply_table_updates
from app.metadata.view import apply_view_updates, parse_view_metadata
from tests.oracle.cases import attempt, clock, new_table, table_cases, view_cases
from tests.oracle.oracle import ask
from tests.support.garbage import spoiled

SEED = 20_250_802
ROUNDS = 300


def table_documents() -> list[dict[str, Any]]:
    """Documents that spoiled documents, updates and requests became, where we accepted them."""
    random, now_ms = Random(SEED), clock()
    cases = table_cases(SEED, 200)
    made = []
    for _ in range(ROUNDS):
        base, updates = random.choice(cases).base, random.choice(cases).updates
        made.append(attempt(partial(parse_table_metadata, spoiled(random, base))))
        change = partial(apply_table_updates, now_ms=now_ms, previous_location="s3://b/00000-x.metadata.json")
        if made[-1][0]:
            made.append(attempt(partial(change, made[-1][0], updates)))
        case = random.choice(cases)
        made.append(attempt(partial(change, case.base, spoiled(random, case.updates))))
        arguments = new_table(random, now_ms)
        for name in ("schema", "partition_spec", "sort_order"):
            arguments[name] = spoiled(random, arguments[name])
        made.append(attempt(partial(new_table_metadata, **arguments)))
    return [document for document, _ in made if document]


def view_documents() -> list[dict[str, Any]]:
    random, now_ms = Random(SEED), clock()
    cases = view_cases(SEED, 100)
    made = []
    for _ in range(ROUNDS):
        case = random.choice(cases)
        made.append(attempt(partial(parse_view_metadata, spoiled(random, case.base))))
        change = partial(apply_view_updates, case.base, spoiled(random, case.updates), now_ms=now_ms)
        made.append(attempt(change))
    return [document for document, _ in made if document]


def test_what_we_accept_can_be_loaded() -> None:
    questions = [{"operation": "parse-table", "base": document} for document in table_documents()]
    questions += [{"operation": "parse-view", "base": document} for document in view_documents()]
    assert len(questions) > ROUNDS
    for question, answer in zip(questions, ask(questions), strict=True):
        assert "document" in answer, f"{answer} / {question}"
