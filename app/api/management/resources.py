"""All operations of the management API."""

from app.api.management import (
    api_keys,
    audit,
    explain,
    functions,
    grants,
    held,
    jobs,
    keys,
    metric_reports,
    namespaces,
    principals,
    protection,
    roles,
    tokens,
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
    principals.resource,
    keys.resource,
    api_keys.resource,
    tokens.resource,
    roles.resource,
    grants.resource,
    explain.resource,
]
