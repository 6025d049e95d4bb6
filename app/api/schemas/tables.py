"""Table requests. Schemas, specs, orders, requirements and updates are checked by the metadata rules."""

from marshmallow import ValidationError, fields, pre_load

from app.api.schemas.fields import Flag, Items, RequestSchema, Text, TextMap


class CreateTableRequestSchema(RequestSchema):
    name = fields.Raw(required=True, metadata={"component": "Name"})
    location = Text(load_default=None)
    schema = fields.Raw(required=True, metadata={"component": "Schema"})
    partition_spec = fields.Raw(
        data_key="partition-spec", load_default=None, metadata={"component": "PartitionSpec"}
    )
    write_order = fields.Raw(
        data_key="write-order", load_default=None, metadata={"component": "NewSortOrder"}
    )
    stage_create = Flag(data_key="stage-create", load_default=False)
    properties = TextMap(load_default=dict)


class CommitTableRequestSchema(RequestSchema):
    identifier = fields.Raw(load_default=None, metadata={"component": "TableIdentifier"})
    requirements = Items(load_default=list, metadata={"items": "TableRequirement"})
    updates = Items(load_default=list, metadata={"items": "TableUpdate"})


class RegisterTableRequestSchema(RequestSchema):
    name = fields.Raw(required=True, metadata={"component": "Name"})
    metadata_location = Text(required=True, data_key="metadata-location")
    overwrite = Flag(load_default=False)


class TableIdentifierSchema(RequestSchema):
    namespace = fields.Raw(required=True, metadata={"component": "Namespace"})
    name = fields.Raw(required=True, metadata={"component": "Name"})

    @pre_load
    def be_object(self, data: object, **_: object) -> object:
        if not isinstance(data, dict):
            raise ValidationError("expected an object with namespace and name")
        return data


class RenameTableRequestSchema(RequestSchema):
    source = fields.Nested(TableIdentifierSchema, required=True)
    destination = fields.Nested(TableIdentifierSchema, required=True)
