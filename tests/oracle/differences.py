"""Every way in which we differ from Iceberg's library on purpose, with its reason.

Updates are sent as ``as_sent_to_java``, documents compared after ``normalised`` and ``with_our_clock``, verdicts
excused by ``excuse`` only.
"""

from typing import Any

import msgspec

from app.errors import ServiceError

Updates = list[dict[str, Any]]

# Java writes the defaults of these types out; we keep the client's text.
TYPE_TEXTS = {"geography(OGC:CRS84, spherical)": "geography", "geometry(OGC:CRS84)": "geometry"}

# Java refuses what we accept; by the beginning of Java's message.
JAVA_REFUSES = {
    "Cannot set last added schema: no schema": "-1 resolves to the equal schema that was found",
    "Cannot set last added spec: no spec": "-1 resolves to the equal spec that was found",
    "Cannot set last added sort order: no sort order": "-1 resolves to the equal order that was found",
    "Cannot set last version id": "-1 resolves to the equal view version that was found",
    "arraySize cannot be negative": "Java overflows when more snapshot ids are sent than there are snapshots",
}

# We refuse what Java accepts; by the beginning of our message and an action that must be in the list.
WE_REFUSE = {
    ("Cannot reassign uuid", "assign-uuid"): "a table keeps the uuid that it has",
    (
        "Cannot create identity partition",
        "set-current-schema",
    ): "a partition named like another column: Java cannot load the file that it writes",
    (
        "Cannot set current schema to unknown schema",
        "remove-schemas",
    ): "Java's builder still finds a schema removed in the same request",
    (
        "Cannot set default partition spec to unknown spec",
        "remove-partition-specs",
    ): "Java's builder still finds a spec removed in the same request",
}


def as_sent_to_java(updates: Updates) -> Updates:
    """Strip the slash at the end of locations: Java sees a change in it, and then stores none."""
    return [
        {**update, "location": update["location"].rstrip("/")}
        if type(update.get("location")) is str
        else update
        for update in updates
    ]


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with the orders that Java leaves to chance, and its type texts, made canonical."""
    text = msgspec.json.encode(document)
    for long_text, short_text in TYPE_TEXTS.items():
        text = text.replace(f'"{long_text}"'.encode(), f'"{short_text}"'.encode())
    copy: dict[str, Any] = msgspec.json.decode(text)
    for member in ("statistics", "partition-statistics"):
        if member in copy:
            copy[member].sort(key=lambda file: file["snapshot-id"])
    if "versions" in copy:
        # when some expire, Java puts the current version first and the rest by descending id
        copy["versions"].sort(key=lambda version: version["version-id"])
        # Java omits them when empty
        copy.setdefault("properties", {})
    return copy


def with_our_clock(java: dict[str, Any], ours: dict[str, Any], base: dict[str, Any] | None) -> dict[str, Any]:
    """Give Java's document our time of the commit, where it has its own: the current time."""
    if "version-log" in java:
        return _with_our_view_clock(java, ours, base)
    if base is not None and java["last-updated-ms"] == base["last-updated-ms"]:
        return java
    log = [
        {**entry, "timestamp-ms": ours["last-updated-ms"]}
        if entry["timestamp-ms"] == java["last-updated-ms"]
        else entry
        for entry in java["snapshot-log"]
    ]
    return {**java, "last-updated-ms": ours["last-updated-ms"], "snapshot-log": log}


def _with_our_view_clock(
    java: dict[str, Any], ours: dict[str, Any], base: dict[str, Any] | None
) -> dict[str, Any]:
    log = list(java["version-log"])
    if base is not None and log and ours["version-log"] and log[-1] not in base["version-log"]:
        log[-1] = {**log[-1], "timestamp-ms": ours["version-log"][-1]["timestamp-ms"]}
    return {**java, "version-log": log}


def excuse(error: ServiceError | None, answer: dict[str, Any], updates: Updates) -> str | None:
    """Return the reason why the verdicts on ``updates`` may differ; None when they must not."""
    for start, reason in JAVA_REFUSES.items():
        if answer.get("message", "").startswith(start):
            return reason
    if error is None:
        return None
    actions = {str(update.get("action")).lower() for update in updates}
    for (start, action), reason in WE_REFUSE.items():
        if error.message.startswith(start) and action in actions:
            return reason
    return None
