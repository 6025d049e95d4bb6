"""What the claims of a token mean here: paths into them, and roles of ours for roles of theirs."""

from collections.abc import Iterable
from typing import Any

from app.config import ProviderSettings
from app.config.openid import KUBERNETES
from app.config.openid_checks import split_pair

_MOST_ROLES = 1000
_LONGEST_NAME = 255
_SERVICE_ACCOUNT = "system:serviceaccount:"


class Mapping:
    """The rules of one provider."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._required = [split_pair(pair) for pair in settings.required_claims]
        self._ours: dict[str, list[str]] = {}
        for theirs, ours in map(split_pair, settings.role_mapping):
            self._ours.setdefault(theirs, []).append(ours)

    def unmet(self, claims: dict[str, Any]) -> str | None:
        """The first required claim that is not as it has to be."""
        return next((path for path, value in self._required if value not in values(claims, path)), None)

    def roles(self, claims: dict[str, Any], subject: str) -> tuple[str, ...]:
        """Names of the roles here, sorted. Those that do not exist give nothing."""
        found = set(self._settings.default_roles)
        for theirs in self._theirs(claims, subject):
            found.update(self._ours.get(theirs, [theirs] if self._settings.roles_by_name else []))
        return tuple(sorted(found))

    def _theirs(self, claims: dict[str, Any], subject: str) -> Iterable[str]:
        named = values(claims, self._settings.roles_claim)[:_MOST_ROLES] if self._settings.roles_claim else []
        if self._settings.type == KUBERNETES and subject.startswith(_SERVICE_ACCOUNT):
            # The groups that Kubernetes itself gives to a service account; its tokens do not name them.
            namespace = subject.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]
            named = [*named, subject, f"system:serviceaccounts:{namespace}", "system:serviceaccounts"]
        # What the database could not even be asked for is nobody's role.
        return filter(is_sane, named)


def values(claims: dict[str, Any], path: str) -> list[str]:
    """The texts at a path: the items of a list, else the words of a text; truth values and integers as in JSON."""
    found = _at(claims, path)
    if isinstance(found, str):
        return [found, *(word for word in found.split() if word != found)]
    if isinstance(found, list):
        return [item for item in found if isinstance(item, str)]
    if isinstance(found, bool):
        return ["true" if found else "false"]
    return [str(found)] if isinstance(found, int) else []


def text_claim(claims: dict[str, Any], path: str) -> str | None:
    """The text at a path, or nothing when there is none or something else."""
    found = _at(claims, path) if path else None
    return found if isinstance(found, str) else None


def printable_claim(claims: dict[str, Any], path: str, longest: int = _LONGEST_NAME) -> str | None:
    """The same, but only what can be stored and shown."""
    found = text_claim(claims, path)
    return found if found is not None and is_sane(found, longest) else None


def is_sane(text: str, longest: int = _LONGEST_NAME) -> bool:
    """Whether a text is there, printable, and not too long."""
    return 0 < len(text) <= longest and text.isprintable()


def _at(claims: Any, path: str) -> Any:
    """The value at ``a.b``; a claim may itself have dots in its name, as URLs do."""
    if not isinstance(claims, dict):
        return None
    if path in claims:
        return claims[path]
    first, dot, rest = path.partition(".")
    return _at(claims.get(first), rest) if dot else None
