"""Both ways give unusual, ambiguous and broken requests the same answers, and the right ones."""

import pytest

from tests.http.cases import Case
from tests.http.conversation import Conversation, Heard, converse
from tests.http.framing_cases import CODINGS, CONNECTIONS, LENGTHS
from tests.http.head_cases import HEADS, REQUEST_LINES
from tests.http.world import Ways

CASES = [*REQUEST_LINES, *HEADS, *LENGTHS, *CODINGS, *CONNECTIONS]


def in_one_piece(port: int, ways: Ways, case: Case) -> Heard:
    """A plain request, the case and a last request in one packet."""
    return converse(port, [ways.get() + case.data(ways) + ways.last], ends=case.swallows)


def after_an_answer(port: int, ways: Ways, case: Case) -> Heard:
    """The case alone on a connection that has been used; the last request after its answers."""
    with Conversation(port) as conversation:
        conversation.say(ways.get())
        before = [conversation.answer()]
        conversation.say(case.data(ways))
        if not case.swallows:
            before += [conversation.answer(case.method) for _ in case.statuses]
        conversation.say(ways.last)
        if case.swallows:
            conversation.end()
        return Heard(b"".join(before) + conversation.rest())


@pytest.mark.parametrize("order", [in_one_piece, after_an_answer])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_same_answers(ways: Ways, case: Case, order) -> None:
    hot, stock = (order(port, ways, case) for port in ways.ports)
    assert stock.statuses == [200, *case.statuses, *([200] if case.stays else [])], stock.received
    assert hot.constant == stock.constant


def test_names_of_cases_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
