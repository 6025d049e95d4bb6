"""What is wrong with a configuration: one fault per line, all of them at once."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong; ``got`` never holds a secret, ``source`` is ``file PATH`` or ``env NAME``."""

    key: str
    problem: str
    got: str = ""
    expected: str = ""
    source: str = ""

    def __str__(self) -> str:
        named = (("got", self.got), ("expected", self.expected), ("from", self.source))
        details = "; ".join(f"{name} {value}" for name, value in named if value)
        return f"{self.key}: {self.problem} ({details})" if details else f"{self.key}: {self.problem}"

    def to_dict(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


class ConfigurationError(Exception):
    """The configuration cannot be used; the process exits 78 without binding its port."""

    exit_code = 78

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
