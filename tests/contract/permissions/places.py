"""What the targets of the table name, and the paths at which it is found."""

from typing import NamedTuple

from tests.contract.calls import namespace_path, segment


class Facts(NamedTuple):
    """What requests have to know of a world.

    ``loose`` are metadata files of what is not in the catalog, by kind; ``keys`` are ids of keys by their principals.
    """

    loose: dict[str, str]
    grounds: str
    held: int
    job: int
    keys: dict[str, int]


NOWHERE = Facts({}, "", 0, 0, {})


class Place(NamedTuple):
    """``levels`` of a namespace, or of a namespace and what is in it."""

    warehouse: str
    levels: list[str]

    @classmethod
    def of(cls, text: str) -> "Place":
        warehouse, _, names = text.rpartition(":")
        return cls(warehouse or "default", [] if names == "top" else names.split("."))

    @property
    def name(self) -> str:
        return self.levels[-1]

    @property
    def above(self) -> "Place":
        return self._replace(levels=self.levels[:-1])

    @property
    def identifier(self) -> dict[str, object]:
        return {"namespace": self.above.levels, "name": self.name}

    @property
    def prefix(self) -> str:
        """What is in home is asked for as of the warehouse that needs no name."""
        return "/v1" if (self.warehouse, *self.levels[:1]) == ("default", "home") else f"/v1/{self.warehouse}"

    @property
    def namespace(self) -> str:
        return namespace_path(*self.levels, prefix=self.prefix)

    @property
    def managed_namespace(self) -> str:
        return namespace_path(*self.levels, prefix=f"/management/v1/warehouses/{self.warehouse}")

    def members(self, kind: str) -> dict[str, object]:
        """How the body of a request names an object of a kind."""
        if kind == "namespace":
            return {"warehouse": self.warehouse, "namespace": self.levels}
        return {"warehouse": self.warehouse, "namespace": self.above.levels, kind: self.name}

    def object(self, kind: str) -> str:
        return f"{self.above.namespace}/{kind}s/{segment(self.name)}"

    def managed(self, kind: str) -> str:
        return f"{self.above.managed_namespace}/{kind}s/{segment(self.name)}"


def ends(target: str) -> tuple[Place, Place]:
    source, _, destination = target.partition("->")
    return Place.of(source), Place.of(destination)


def both(target: str) -> list[Place]:
    return [Place.of(part) for part in target.split("+")]
