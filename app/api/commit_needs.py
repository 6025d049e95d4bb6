"""What commits to tables need: that is for their requirements and updates to say."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.api.authorization import wanted
from app.api.needs import CREATING, needs
from app.auth.access import Wanted
from app.auth.privileges import Privilege
from app.catalog.table_requests import TableCommit
from app.identifiers import TableIdentifier
from app.metadata.requirements import is_create

WRITING = needs(Privilege.WRITE_DATA, on="table")
SETTING_PROPERTIES = needs(Privilege.WRITE_DATA, Privilege.MANAGE_PROPERTIES, on="table")
_PROPERTIES = ("set-properties", "remove-properties")


def wanted_for_commits(commits: Sequence[TableCommit]) -> list[Wanted]:
    """Return what each of several commits needs.

    A table that one of them creates need not be there for the others: its creator will own it.
    """
    created = {commit.table for commit in commits if is_create(commit.requirements)}
    return [one for commit in commits for one in _wanted(commit, created)]


def _wanted(commit: TableCommit, created: Iterable[TableIdentifier]) -> list[Wanted]:
    if is_create(commit.requirements):
        return [wanted(CREATING, commit.table.namespace)]
    need = SETTING_PROPERTIES if all(map(_sets_properties, commit.updates)) else WRITING
    return [wanted(need, commit.table, may_be_missing=commit.table in created)]


def _sets_properties(update: Any) -> bool:
    return isinstance(update, dict) and update.get("action") in _PROPERTIES
