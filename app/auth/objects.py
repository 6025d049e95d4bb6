"""Names of what rights are about: ``server``, ``warehouse:w``, ``namespace:w/a%1Fb``, ``table:w/a%1Fb/t``.

Names are percent-encoded, the levels of a namespace separated by ``%1F``, as in paths.
"""

from typing import NamedTuple, Self
from urllib.parse import quote

from app.errors import BadRequestException
from app.identifiers import Namespace, TableIdentifier, decode_namespace, decode_segment

PARTS = {"server": 0, "warehouse": 1, "namespace": 2, "table": 3, "view": 3}
GRAMMAR = "server, warehouse:W, namespace:W/A%1FB, table:W/A%1FB/T or view:W/A%1FB/V"


class ObjectName(NamedTuple):
    """What an object is called; what its kind does not have is None or empty."""

    kind: str
    warehouse: str | None = None
    namespace: Namespace = Namespace()
    name: str | None = None

    @classmethod
    def parse(cls, text: str, field: str) -> Self:
        """
        :raises BadRequestException: naming the field and the grammar
        """
        kind, _, rest = text.partition(":")
        parts = rest.split("/") if rest else []
        if kind not in PARTS or len(parts) != PARTS[kind] or not all(parts):
            raise BadRequestException(f"Invalid {field} {text[:200]!r}: expected {GRAMMAR}")
        return cls(
            kind,
            decode_segment(parts[0], keep_plus=True) if parts else None,
            decode_namespace(parts[1], keep_plus=True) if len(parts) > 1 else Namespace(),
            decode_segment(parts[2], keep_plus=True) if len(parts) > 2 else None,
        )

    @property
    def address(self) -> str:
        """The name in the grammar that :meth:`parse` reads."""
        if self.warehouse is None:
            return self.kind
        parts = [quote(self.warehouse, safe="")]
        if self.namespace:
            parts.append("%1F".join(quote(level, safe="") for level in self.namespace))
        if self.name is not None:
            parts.append(quote(self.name, safe=""))
        return f"{self.kind}:{'/'.join(parts)}"

    def members(self) -> dict[str, object]:
        """The name as the members of a JSON object."""
        given: dict[str, object] = {"kind": self.kind}
        if self.warehouse is not None:
            given["warehouse"] = self.warehouse
        if self.namespace:
            given["namespace"] = self.namespace
        if self.name is not None:
            given[self.kind] = self.name
        return given

    @property
    def identifier(self) -> TableIdentifier:
        assert self.name is not None
        return TableIdentifier(self.namespace, self.name)

    def __str__(self) -> str:
        """As messages call it."""
        if self.kind == "server":
            return "the server"
        if self.kind == "warehouse":
            return f"warehouse {self.warehouse}"
        return f"{self.kind} {self.namespace if self.name is None else self.identifier}"


SERVER = ObjectName("server")
