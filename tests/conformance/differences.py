"""The list of differences that have a reason."""

import re
from pathlib import Path
from typing import NamedTuple

import yaml


class Reasoned(NamedTuple):
    """``what`` is a text in which ``*`` stands for any other."""

    what: str
    why: str

    def covers(self, text: str) -> bool:
        return bool(re.fullmatch(re.escape(self.what).replace(r"\*", ".*"), text))


class Verdict(NamedTuple):
    """``unlisted`` differences, and ``stale`` entries that no difference needs."""

    unlisted: list[str]
    stale: list[str]


def read(path: Path) -> list[Reasoned]:
    """Return the entries of a list."""
    return [Reasoned(**entry) for entry in yaml.safe_load(path.read_text("utf-8"))]


def judge(found: list[str], reasons: list[Reasoned]) -> Verdict:
    """Compare what was found with the list."""
    return Verdict(
        [text for text in found if not any(reason.covers(text) for reason in reasons)],
        [reason.what for reason in reasons if not any(reason.covers(text) for text in found)],
    )
