"""Reports of clients about their scans and commits."""

from typing import Any

from marshmallow import ValidationError, fields

from app.api.schemas.fields import Items, RequestSchema, Text, TextList, TextMap, kind

_COUNTER = {"unit": str, "value": int}
_TIMER = {"time-unit": str, "count": int, "total-duration": int}
_LARGEST = 2**63 - 1


class Long(fields.Field[int]):
    """A JSON number without fraction that 64 bits hold."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        return _long(value)


class LongList(Items):
    """A JSON array of such numbers."""

    def _deserialize(self, value: Any, *args: Any, **more: Any) -> list[Any]:
        return [
            _long(item, f"item {i}: ") for i, item in enumerate(super()._deserialize(value, *args, **more))
        ]


class Filter(fields.Field[Any]):
    """An expression in any of the forms that there are: a boolean, or an object with a type."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, dict) and isinstance(value.get("type"), str)):
            return value
        raise ValidationError(f"expected true, false or an object with a type, got {kind(value)}")


class MetricMap(fields.Field[dict[str, Any]]):
    """A JSON object of counters (unit, value) and timers (time-unit, count, total-duration)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(f"expected an object, got {kind(value)}")
        for name, metric in value.items():
            _check_metric(name, metric)
        return value


class ReportMetricsRequestSchema(RequestSchema):
    report_type = Text(required=True, data_key="report-type")


class ScanReportSchema(RequestSchema):
    table_name = Text(required=True, data_key="table-name")
    snapshot_id = Long(required=True, data_key="snapshot-id")
    filter = Filter(required=True)
    schema_id = Long(required=True, data_key="schema-id")
    projected_field_ids = LongList(required=True, data_key="projected-field-ids")
    projected_field_names = TextList(required=True, data_key="projected-field-names")
    metrics = MetricMap(required=True)
    metadata = TextMap(load_default=dict)


class CommitReportSchema(RequestSchema):
    table_name = Text(required=True, data_key="table-name")
    snapshot_id = Long(required=True, data_key="snapshot-id")
    sequence_number = Long(required=True, data_key="sequence-number")
    operation = Text(required=True)
    metrics = MetricMap(required=True)
    metadata = TextMap(load_default=dict)


def _long(value: Any, where: str = "") -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValidationError(f"{where}expected a whole number, got {kind(value)}")
    if not -_LARGEST - 1 <= value <= _LARGEST:
        raise ValidationError(f"{where}expected a number of 64 bits, got {value}")
    return value


def _check_metric(name: str, metric: Any) -> None:
    if not isinstance(metric, dict):
        raise ValidationError(f"{name!r}: expected a counter or a timer, got {kind(metric)}")
    members = _COUNTER if "value" in metric else _TIMER
    for member, expected in members.items():
        if member not in metric:
            raise ValidationError(f"{name!r}: {member} is missing; {_describe(members)}")
        if expected is int:
            _long(metric[member], f"{name!r}: {member}: ")
        elif not isinstance(metric[member], str):
            raise ValidationError(f"{name!r}: {member}: expected a string, got {kind(metric[member])}")


def _describe(members: dict[str, type]) -> str:
    return f"a {'counter' if members is _COUNTER else 'timer'} has {', '.join(members)}"
