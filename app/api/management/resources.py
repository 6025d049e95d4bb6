"""All operations of the management API."""

from app.api.management import (
    audit,
    functions,
    held,
    jobs,
    metric_reports,
    namespaces,
    protection,
    warehouses,
)

MANAGED = [
    warehouses.resource,
    namespaces.resource,
    protection.resource,
    held.resource,
    functions.resource,
    metric_reports.resource,
    jobs.resource,
    audit.resource,
]
