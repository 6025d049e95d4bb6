"""Lets Schemathesis ask mostly for what is there: three of four names in paths become known ones."""

import zlib
from typing import Any

import schemathesis

KNOWN = {
    "namespace": ["n0", "n1", "n2"],
    "table": [f"t{number}" for number in range(8)],
    "view": [f"v{number}" for number in range(8)],
}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    for name, value in (path_parameters or {}).items():
        digest = zlib.crc32(repr(value).encode())
        if name in KNOWN and digest % 4:
            path_parameters = {**(path_parameters or {}), name: KNOWN[name][digest // 4 % len(KNOWN[name])]}
    return path_parameters
