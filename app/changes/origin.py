"""Who does something, from where, and on whose behalf: what the change log and the audit say of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Self

from app.observability.redaction import mask_text

SYSTEM = "system"
LONGEST_USER_AGENT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    ``principal_kind`` is ``service``, ``user`` or ``openid``, ``anonymous`` where nobody had to say who they are, and
    ``system`` for what the service does by itself. ``credential`` names what the principal showed, such as ``key:7``;
    it is never the thing itself. ``job_id`` is the job that did it, for whoever asked for it.
    """

    principal: str
    principal_kind: str
    request_id: str
    principal_id: int | None = None
    credential: str | None = None
    address: str | None = None
    user_agent: str | None = None
    job_id: int | None = None

    @classmethod
    def of_job(cls, job_id: int) -> Self:
        """The service itself, in a job that nobody asked for."""
        return cls(principal=SYSTEM, principal_kind=SYSTEM, request_id=f"job-{job_id}", job_id=job_id)

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any], job_id: int) -> Self:
        """Who asked for a job, as :meth:`payload` kept it; older versions kept the principal and the request only."""
        kept = {name: payload.get(name) for name in _KEPT}
        return cls(
            principal=payload["principal"],
            principal_kind=payload.get("principal_kind", "anonymous"),
            request_id=payload["request_id"],
            job_id=job_id,
            **kept,
        )

    def payload(self) -> dict[str, Any]:
        """What a job has to keep of it."""
        return {name: value for name, value in asdict(self).items() if name != "job_id" and value is not None}

    def columns(self) -> dict[str, Any]:
        """The parameters of the queries that store it."""
        return {name: getattr(self, name) for name in _COLUMNS}


SETTINGS = Origin(principal="settings", principal_kind=SYSTEM, request_id="start")
"""The settings, where they say what there has to be."""
_COLUMNS = tuple(member.name for member in fields(Origin))
_KEPT = ("principal_id", "credential", "address", "user_agent")


def shown_user_agent(text: str) -> str:
    """A client's ``User-Agent`` as it is kept: short, printable, without what looks like a secret."""
    return _shown(text[: 8 * LONGEST_USER_AGENT])


@lru_cache(maxsize=256)
def _shown(text: str) -> str:
    masked = mask_text(text)[:LONGEST_USER_AGENT]
    return "".join(character if character.isprintable() else "?" for character in masked)
