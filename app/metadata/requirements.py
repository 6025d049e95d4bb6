"""Check the requirements of a commit against the metadata it starts from.

Source: the Iceberg REST specification, ``TableRequirement``, and the Java reference's ``UpdateRequirement``.
"""

from collections.abc import Callable
from typing import Any

from app.errors import BadRequestException, CommitFailedException, IllegalArgumentException
from app.metadata.shapes import (
    JsonObject,
    as_array,
    as_int,
    as_long,
    as_object,
    as_string,
    optional,
    required,
)

Check = Callable[[JsonObject, JsonObject, str], None]


def is_create(requirements: Any) -> bool:
    """Tell whether a commit creates its table.

    :raises BadRequestException: when a requirement has the wrong shape or is unknown
    :raises IllegalArgumentException: when assert-create is not the only one
    """
    types = _types(requirements)
    if "assert-create" not in types:
        return False
    if len(types) > 1:
        others = ", ".join(sorted(set(types) - {"assert-create"}) or ["assert-create"])
        raise IllegalArgumentException(f"Invalid create requirements: assert-create along with {others}")
    return True


def check_table_requirements(base: JsonObject | None, requirements: Any) -> None:
    """Check requirements in order; the first that fails decides.

    :param base: the table's metadata, or None when the table does not exist
    :raises BadRequestException: when a requirement has the wrong shape or is unknown
    :raises IllegalArgumentException: when assert-create is not the only one
    :raises CommitFailedException: when a requirement does not hold
    """
    types = _types(requirements)
    if is_create(requirements):
        if base is not None:
            raise _failed("table already exists")
        return
    for i, kind in enumerate(types):
        if base is None:
            raise _failed("table does not exist")
        _CHECKS[kind](base, requirements[i], f"requirements[{i}]")


def _types(requirements: Any) -> list[str]:
    items = as_array(requirements, "requirements")
    return [_type(item, f"requirements[{i}]") for i, item in enumerate(items)]


def _type(requirement: Any, path: str) -> str:
    kind = required(as_object(requirement, path), "type", path, as_string).lower()
    if kind == "assert-view-uuid":
        raise BadRequestException(f"{path}.type: {kind} does not apply to tables")
    if kind != "assert-create" and kind not in _CHECKS:
        raise BadRequestException(f"{path}.type: unknown requirement {requirement['type']!r}")
    return kind


def _failed(what: str) -> CommitFailedException:
    return CommitFailedException(f"Requirement failed: {what}")


def _table_uuid(base: JsonObject, requirement: JsonObject, path: str) -> None:
    uuid = required(requirement, "uuid", path, as_string)
    current = base.get("table-uuid")
    if current is None or uuid.lower() != current.lower():
        raise _failed(f"UUID does not match: expected {current} != {uuid}")


def _ref_snapshot_id(base: JsonObject, requirement: JsonObject, path: str) -> None:
    name = required(requirement, "ref", path, as_string)
    expected = optional(requirement, "snapshot-id", path, as_long)
    ref = (base.get("refs") or {}).get(name)
    if ref is None:
        # some writers send -1 for "none"
        if expected is not None and expected >= 0:
            raise _failed(f"branch or tag {name} is missing, expected {expected}")
    elif expected is None:
        raise _failed(f"{ref['type'].lower()} {name} was created concurrently")
    elif expected != ref["snapshot-id"]:
        raise _failed(
            f"{ref['type'].lower()} {name} has changed: expected id {expected} != {ref['snapshot-id']}"
        )


def _equal(name: str, member: str, what: str) -> Check:
    """Make the check that a requirement's ``name`` equals a member of the metadata."""

    def check(base: JsonObject, requirement: JsonObject, path: str) -> None:
        expected = required(requirement, name, path, as_int)
        if expected != base[member]:
            raise _failed(f"{what} changed: expected id {expected} != {base[member]}")

    return check


_last_partition_id = _equal("last-assigned-partition-id", "last-partition-id", "last assigned partition id")


def _last_assigned_partition_id(base: JsonObject, requirement: JsonObject, path: str) -> None:
    # PyIceberg sends null for a v1 table that it loaded without the member
    if "last-assigned-partition-id" in requirement and requirement["last-assigned-partition-id"] is None:
        return
    _last_partition_id(base, requirement, path)


_CHECKS: dict[str, Check] = {
    "assert-table-uuid": _table_uuid,
    "assert-ref-snapshot-id": _ref_snapshot_id,
    "assert-last-assigned-field-id": _equal(
        "last-assigned-field-id", "last-column-id", "last assigned field id"
    ),
    "assert-current-schema-id": _equal("current-schema-id", "current-schema-id", "current schema"),
    "assert-last-assigned-partition-id": _last_assigned_partition_id,
    "assert-default-spec-id": _equal("default-spec-id", "default-spec-id", "default partition spec"),
    "assert-default-sort-order-id": _equal(
        "default-sort-order-id", "default-sort-order-id", "default sort order"
    ),
}
