"""Transaction requests."""

from marshmallow import fields, validate

from app.api.schemas.fields import Items, RequestSchema
from app.api.schemas.tables import TableIdentifierSchema


class TableChangeSchema(RequestSchema):
    identifier = fields.Nested(TableIdentifierSchema, required=True)
    requirements = Items(load_default=list, metadata={"items": "TableRequirement"})
    updates = Items(load_default=list, metadata={"items": "TableUpdate"})


class CommitTransactionRequestSchema(RequestSchema):
    table_changes = fields.List(
        fields.Nested(TableChangeSchema),
        required=True,
        data_key="table-changes",
        validate=validate.Length(min=1, error="must name at least one table"),
    )
