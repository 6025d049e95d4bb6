"""Whether what a worker remembers of principals and grants still holds."""

import threading
from collections.abc import Callable

from app.db import Database, Transaction
from app.errors import ServiceUnavailableException


class Freshness:
    """The database's ``security_version``, asked for anew for every request.

    Requests that wait share an answer, but only to a question that was sent after they came: what was committed, and
    answered for, before a request began is always seen by it. Safe to share between greenlets or threads.
    """

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._turn = threading.Condition()
        self._is_asking = False
        self._sent = 0
        self._answered = 0
        self._answer = 0
        self._failure: Exception | None = None

    @classmethod
    def of(cls, db: Database) -> "Freshness":
        return cls(lambda: int(db.fetch_one("read_security_version").version))

    def version(self) -> int:
        """
        :raises ServiceError: when the database cannot say
        """
        with self._turn:
            wanted = self._sent + 1
            while self._is_asking and self._answered < wanted:
                self._turn.wait()
            if self._answered >= wanted:
                return self._shared()
            self._is_asking = True
            self._sent = wanted
        return self._send(wanted)

    def _send(self, question: int) -> int:
        answer = 0
        failure: Exception | None = None
        try:
            answer = self._ask()
        except BaseException as error:
            failure = error if isinstance(error, Exception) else ServiceUnavailableException("Interrupted")
            raise
        finally:
            with self._turn:
                self._is_asking = False
                self._answered, self._answer, self._failure = question, answer, failure
                self._turn.notify_all()
        return answer

    def _shared(self) -> int:
        if self._failure is not None:
            raise self._failure
        return self._answer


def bump_security_version(tx: Transaction) -> None:
    """Make every worker look again. Call it last: from here to COMMIT other changes of this kind wait."""
    tx.execute("bump_security_version")
