"""Secrets that lie in files of their own: ``<key>_file`` in the YAML file, ``<VARIABLE>_FILE`` in the environment."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.config.faults import Fault
from app.config.options import Option
from app.config.sources import Given

_LARGEST = 1 << 20


def file_keys(known: Iterable[Option]) -> dict[str, str]:
    """The dotted key of each secret by the key of its file."""
    return {f"{option.key}_file": option.key for option in known if option.kind.secret}


def file_variables(known: Iterable[Option]) -> dict[str, str]:
    """The variable of each secret by the variable of its file."""
    return {f"{option.variable}_FILE": option.variable for option in known if option.kind.secret}


def read_secrets(
    given: Mapping[str, Given], names: Mapping[str, str]
) -> tuple[dict[str, Given], list[Fault]]:
    """What one source gives, with the content of the files in place of their names; and the faults of that.

    :param names: the name of the secret by the name of its file, as that source writes them
    """
    found = {name: value for name, value in given.items() if name not in names}
    faults = []
    for name in names.keys() & given.keys():
        path, source = given[name].raw, given[name].source
        if path in (None, ""):
            continue
        if names[name] in found:
            faults.append(Fault(name, f"{names[name]} is given too", str(path), "one of the two", source))
            continue
        try:
            found[names[name]] = Given(_read(path), f"file {path}, named by {source}")
        except (OSError, ValueError) as error:
            text = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            faults.append(Fault(name, text, str(path)[:200], "a file that holds the secret", source))
    return found, faults


def _read(path: object) -> str:
    """The text without one line end behind it; raises ``OSError``, ``ValueError``."""
    if not isinstance(path, str):
        raise ValueError("not the name of a file")
    with Path(path).open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("too large")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValueError("not text in UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("empty")
    return text
