"""All operations of the Iceberg API but ``getConfig``, which announces them."""

from app.api import (
    credentials,
    functions,
    metric_reports,
    namespaces,
    planning,
    signing,
    tables,
    transactions,
    views,
)

RESOURCES = [
    namespaces.resource,
    tables.resource,
    credentials.resource,
    signing.resource,
    metric_reports.resource,
    planning.resource,
    views.resource,
    functions.resource,
    transactions.resource,
]
