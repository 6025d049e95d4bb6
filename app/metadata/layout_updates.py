"""Update actions on partition specs and sort orders.

Source: the Iceberg REST specification, ``TableUpdate``, and the Java reference's ``TableMetadata.Builder``.
"""

from app.errors import IllegalArgumentException, ValidationException
from app.metadata import partitioning, sorting
from app.metadata.draft import TableDraft
from app.metadata.shapes import JsonObject, as_int, as_ints, as_object, next_id, required


def add_spec(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Bind a spec to the current schema and add it, or find the equal one that is there."""
    spec = partitioning.read_spec(required(update, "spec", path, as_object), f"{path}.spec")
    index = draft.current_index()
    partitioning.check_names(spec, index)
    partitioning.check_sources(spec["fields"], index, "partition")
    specs = draft.read("partition-specs")
    equal = next((item for item in specs if partitioning.same_spec(item, spec)), None)
    if equal is None:
        equal = _numbered_spec(draft, spec)
        draft.edit_array("partition-specs").append(equal)
        last = max(draft.document["last-partition-id"], partitioning.last_field_id(equal))
        draft.put("last-partition-id", last)
    draft.last_added_spec_id = equal["spec-id"]


def _numbered_spec(draft: TableDraft, spec: JsonObject) -> JsonObject:
    specs = draft.read("partition-specs")
    numbered = partitioning.with_field_ids(spec, specs, draft.document["last-partition-id"])
    partitioning.check_distinct(numbered)
    if draft.format_version == 1:
        partitioning.check_sequential(numbered)
    return {**numbered, "spec-id": next_id(max((item["spec-id"] for item in specs), default=-1))}


def set_default_spec(draft: TableDraft, update: JsonObject, path: str) -> None:
    spec_id = required(update, "spec-id", path, as_int)
    if spec_id == -1:
        if draft.last_added_spec_id is None:
            raise ValidationException("Cannot set last added spec: no spec has been added")
        spec_id = draft.last_added_spec_id
    if spec_id == draft.document["default-spec-id"]:
        return
    if draft.find("partition-specs", "spec-id", spec_id) is None:
        raise ValidationException(f"Cannot set default partition spec to unknown spec: {spec_id}")
    draft.put("default-spec-id", spec_id)
    draft.layout_changed = True


def remove_partition_specs(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Remove specs; unknown ids are ignored."""
    removed = set(required(update, "spec-ids", path, as_ints))
    if draft.document["default-spec-id"] in removed:
        raise IllegalArgumentException("Cannot remove the default partition spec")
    if removed:
        kept = [item for item in draft.read("partition-specs") if item["spec-id"] not in removed]
        draft.put("partition-specs", kept)


def add_sort_order(draft: TableDraft, update: JsonObject, path: str) -> None:
    """Bind a sort order to the current schema and add it, or find the equal one that is there."""
    order = sorting.read_order(required(update, "sort-order", path, as_object), f"{path}.sort-order")
    sorting.check_order_id(order)
    partitioning.check_sources(order["fields"], draft.current_index(), "sort")
    orders = draft.read("sort-orders")
    equal = next((item for item in orders if sorting.same_order(item, order)), None)
    if equal is None:
        highest = max((item["order-id"] for item in orders), default=0)
        equal = {**order, "order-id": next_id(highest) if order["fields"] else 0}
        draft.edit_array("sort-orders").append(equal)
    draft.last_added_order_id = equal["order-id"]


def set_default_sort_order(draft: TableDraft, update: JsonObject, path: str) -> None:
    order_id = required(update, "sort-order-id", path, as_int)
    if order_id == -1:
        if draft.last_added_order_id is None:
            raise ValidationException("Cannot set last added sort order: no sort order has been added")
        order_id = draft.last_added_order_id
    if order_id == draft.document["default-sort-order-id"]:
        return
    if draft.find("sort-orders", "order-id", order_id) is None:
        raise ValidationException(f"Cannot set default sort order to unknown order: {order_id}")
    draft.put("default-sort-order-id", order_id)
    draft.layout_changed = True
