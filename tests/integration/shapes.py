"""Schemas that several suites use."""

from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

PEOPLE = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "name", StringType(), required=False),
    NestedField(3, "born", LongType(), required=False),
)
