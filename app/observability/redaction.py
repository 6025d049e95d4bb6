"""Keeps what is nobody's business out of logs and metrics."""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "***"

_SECRET_KEY = re.compile(
    r"pass(word|phrase|wd)|secret|token|api[_-]?key|access[_-]?key|credential|authorization|signing[_-]?key|cookie",
    re.I,
)
_SECRET_TEXT = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|(?P<userinfo>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|(?P<key>\b[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|signature|signing[_-]?key)[\w.-]*"
    r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&)}\]]+)"
    r"|(?P<issued>bingsan_)[A-Za-z0-9_-]{20,}"
    r"|(?P<jwt>eyJ)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_.-]*",
    re.I,
)
_METRIC_WORDS = re.compile(r"password|secret|token|api_key|credential", re.I)


def mask_text(text: str) -> str:
    """``text`` without bearer tokens, passwords in URLs, the values of ``secret=…`` pairs, issued keys, JWTs."""
    return _SECRET_TEXT.sub(lambda match: (match[match.lastgroup or 0] or "") + MASK, text)


def mask_path(path: str) -> str:
    """``path`` without issued keys and JWTs: for everything that is logged, and mostly without any."""
    return mask_text(path) if "bingsan_" in path or "eyJ" in path else path


def mask_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``fields`` whose secret-looking keys have no value and whose strings are masked."""
    return {key: MASK if _SECRET_KEY.search(key) else _mask(value) for key, value in fields.items()}


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return mask_fields({str(key): item for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [_mask(item) for item in value]
    return value


def metric_label(text: str) -> str:
    """``text`` as a label value: words that metric output never shows keep their first three letters."""
    return _METRIC_WORDS.sub(lambda match: match[0][:3] + "*" * (len(match[0]) - 3), text)
