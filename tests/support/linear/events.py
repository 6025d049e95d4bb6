"""What clients asked of a world, and what they were answered."""

import json
from typing import Any, NamedTuple

from tests.support.linear.world import TAG, Place, Properties, Thing

# Nobody knows whether these requests were carried out; those in the other list were certainly not.
UNKNOWN = frozenset({None, 500, 502, 504})
NOT_DONE = frozenset({408, 429, 503})
READING = frozenset({"load", "has", "list", "load_space", "has_space", "list_spaces"})
CROWDED = b"being changed by too many clients"


class Known(NamedTuple):
    """A table as a client loaded it before."""

    etag: str
    body: bytes

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["metadata"])

    @property
    def thing(self) -> Thing:
        return thing_of("table", self.metadata)


class Asked(NamedTuple):
    """A request. What it means depends on ``action``; no other request has its ``mark``, a number.

    ``reader`` is who asks, if it is not the administrator, and to whom rights are given.
    """

    action: str
    world: str
    place: Place = Place("", "")
    kind: str = "table"
    to: Place = Place("", "")
    mark: int = 0
    client: str = ""
    reader: str = ""
    known: Known | None = None

    @property
    def is_read(self) -> bool:
        return self.action in READING

    @property
    def key(self) -> str:
        """The property that this client sets."""
        return f"by-{self.client}"

    @property
    def tag(self) -> str:
        return f"{self.world}-{self.mark}"


class Event(NamedTuple):
    """Times are nanoseconds of the machine's monotonic clock; ``status`` is None when no answer came."""

    asked: Asked
    called: int
    returned: int
    status: int | None
    body: bytes = b""
    etag: str = ""

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def error(self) -> str:
        return str(self.json()["error"]["type"])

    @property
    def is_unknown(self) -> bool:
        return self.status in UNKNOWN

    @property
    def was_not_done(self) -> bool:
        return self.status in NOT_DONE or (self.status == 409 and CROWDED in self.body)

    @property
    def loaded(self) -> dict[str, Any]:
        """The table or view that was answered with; after 304 the one that the client knew."""
        if self.status == 304:
            assert self.asked.known is not None
            return dict(json.loads(self.asked.known.body))
        return self.json()

    @property
    def thing(self) -> Thing:
        return thing_of(self.asked.kind, self.loaded["metadata"])

    def __str__(self) -> str:
        who = self.asked.reader if self.asked.is_read and self.asked.reader else "admin"
        answer = self.body.decode(errors="replace")
        if self.status in {200, 304} and b'"metadata"' in (self.body or b'"metadata"'):
            answer = str(self.thing)
        return f"{who} {self.asked._replace(known=None)} -> {self.status} {answer[:300]}"


def thing_of(kind: str, metadata: dict[str, Any]) -> Thing:
    main = metadata.get("refs", {}).get("main", {}).get("snapshot-id")
    properties = own(metadata["properties"])
    return Thing(kind, dict(properties)[TAG], properties, main)


def own(properties: dict[str, str]) -> Properties:
    """Return the properties that clients set, without those that the service adds."""
    return frozenset(each for each in properties.items() if each[0] == TAG or each[0].startswith("by-"))
