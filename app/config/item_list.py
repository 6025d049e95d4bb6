"""A setting that is a list of mappings, each with settings of its own."""

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any

import yaml

from app.config.faults import Fault
from app.config.options import Option, build, options


class FaultyItems(ValueError):
    """What is wrong with the items; keys of the faults begin with the number of the item, ``[0].name``.

    ``items`` are made of what is right, None for one that is no mapping: rules about them can be checked as well.
    """

    def __init__(self, faults: list[Fault], items: tuple[Any, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults, self.items = faults, items


@dataclass(frozen=True)
class ItemList:
    """A list of mappings, or one string with such a list in JSON or YAML."""

    item: type
    secret: bool = False
    expected: str = "a list of mappings"

    def parse(self, raw: Any) -> tuple[Any, ...]:
        given = _load(raw) if isinstance(raw, str) else raw
        if not isinstance(given, list | tuple):
            raise ValueError("not a list of mappings")
        known = {option.key: option for option in options(self.item)}
        faults: list[Fault] = []
        items = tuple(self._item(entry, f"[{index}]", known, faults) for index, entry in enumerate(given))
        if faults:
            raise FaultyItems(faults, items)
        return items

    def show(self, value: tuple[Any, ...]) -> str:
        return ", ".join(item.name for item in value)

    def _item(self, entry: Any, place: str, known: dict[str, Option], faults: list[Fault]) -> Any:
        if not isinstance(entry, dict):
            faults.append(Fault(place, "wrong type", repr(entry)[:80], "a mapping"))
            return None
        values = {}
        for key, raw in entry.items():
            option = known.get(key)
            if option is None:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)
                hint = f", did you mean {near[0]}?" if near else ""
                faults.append(Fault(f"{place}.{key}", f"unknown key{hint}"))
            elif raw is not None:
                try:
                    values[key] = option.kind.parse(raw)
                except ValueError as error:
                    got = repr(raw)[:80]
                    faults.append(Fault(f"{place}.{key}", str(error), got, option.kind.expected))
        return build(self.item, values)


def item_list(item: type, help: str) -> Any:
    return dataclasses.field(default=(), metadata={"kind": ItemList(item), "help": help})


def _load(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError("not a list of mappings in JSON") from None
