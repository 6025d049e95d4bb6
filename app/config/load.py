"""Putting the sources together: arguments over environment over file over defaults, all faults gathered."""

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.config import superseded
from app.config.advice import advice
from app.config.certificates import CHECKED
from app.config.checks import check, check_files
from app.config.faults import ConfigurationError, Fault
from app.config.item_list import FaultyItems
from app.config.options import Option, build, options
from app.config.secret_files import file_keys, file_variables, read_secrets
from app.config.settings import Settings
from app.config.sources import Given, find_file, read_environment, read_file


def load(path: str | Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """The settings; raises ``ConfigurationError`` with every fault of every source."""
    known = {option.key: option for option in options(Settings)}
    faults, given, warnings = _gather(path, environ, known)
    for name, raw in overrides.items():
        given[name.replace("__", ".")] = Given(raw, "argument")
    old_faults, old_warnings = superseded.judge(given)
    faults += old_faults
    for old, new in superseded.ALIASES.items():
        if old in given:
            given.setdefault(new, given[old])
    values, value_faults = _parse(given, known)
    faults += value_faults
    settings = build(
        Settings,
        values,
        origins={key: given[key].source for key in values},
        warnings=tuple(warnings + old_warnings),
    )
    settings = complete(settings)
    faults += check(settings, {fault.key for fault in faults})
    if CHECKED not in environ:
        faults += check_files(settings, {fault.key for fault in faults})
    if faults:
        raise ConfigurationError(faults)
    return dataclasses.replace(
        settings, warnings=(*settings.warnings, *advice(settings, certificate=CHECKED not in environ))
    )


def complete(settings: Settings) -> Settings:
    """Fill in what is derived from other settings: absolute home, local root, warehouse location."""
    home = Path(settings.home).expanduser().absolute()
    root = Path(settings.storage.local.root_path or home / "warehouse").expanduser().absolute()
    storage = dataclasses.replace(
        settings.storage,
        local=dataclasses.replace(settings.storage.local, root_path=str(root)),
        warehouse=settings.storage.warehouse or _warehouse(settings, root),
    )
    return dataclasses.replace(settings, home=str(home), storage=storage)


def _warehouse(settings: Settings, root: Path) -> str:
    if settings.storage.type == "local":
        return f"file://{root}"
    return f"s3://{settings.storage.s3.bucket}" if settings.storage.s3.bucket else ""


def _gather(
    path: str | Path | None, environ: Mapping[str, str], known: Mapping[str, Option]
) -> tuple[list[Fault], dict[str, Given], list[str]]:
    """What file and environment give by key, faults of the file, warnings about the environment."""
    faults: list[Fault] = []
    given: dict[str, Given] = {}
    try:
        file = find_file(path, environ)
        written = read_file(file) if file else {}
    except ConfigurationError as error:
        faults, written = error.faults, {}
    written, unread = read_secrets(written, file_keys(known.values()))
    exported, unread_too = read_secrets(read_environment(environ), file_variables(known.values()))
    faults += [*unread, *unread_too]
    for key, value in written.items():
        if key in known or key in superseded.KEYS:
            given[key] = value
        elif not (_is_section(key, known) and value.raw in (None, {})):
            faults.append(_unknown(key, value, known))
    variables = {option.variable: key for key, option in known.items()} | superseded.VARIABLES
    warnings = []
    for name, value in exported.items():
        if name in variables:
            given[variables[name]] = value
        else:
            warnings.append(f"{name}: unknown variable{_suggest(name, list(variables))}")
    return faults, given, warnings


def _is_section(key: str, known: Mapping[str, Option]) -> bool:
    return any(name.startswith(key + ".") for name in [*known, *superseded.KEYS])


def _unknown(key: str, value: Given, known: Mapping[str, Option]) -> Fault:
    # The value is not shown: a misspelt password would be printed.
    if _is_section(key, known):
        return Fault(key, "not a section", expected="a mapping of settings", source=value.source)
    sections = {name.rpartition(".")[0] for name in known} - {""}
    return Fault(key, f"unknown key{_suggest(key, [*known, *sections])}", source=value.source)


def _suggest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f", did you mean {near[0]}?" if near else ""


def _parse(given: Mapping[str, Given], known: Mapping[str, Option]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults = []
    for key, value in given.items():
        option = known.get(key)
        if option is None or value.raw is None:
            continue
        try:
            values[key] = option.kind.parse(value.raw)
        except FaultyItems as error:
            values[key] = error.items
            faults += [
                dataclasses.replace(fault, key=key + fault.key, source=value.source) for fault in error.faults
            ]
        except ValueError as error:
            got = "***" if option.kind.secret else repr(value.raw)[:80]
            faults.append(Fault(key, str(error), got, option.kind.expected, value.source))
    return values, faults
