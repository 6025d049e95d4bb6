"""Jobs that keep the catalog tidy."""

from app.catalog.access_tokens import forget_revoked_tokens
from app.catalog.context import Catalog
from app.catalog.warehouses import load_warehouse
from app.db import Transaction
from app.jobs import Job, enqueue
from app.jobs.queue import delete_finished
from app.metadata.files import superseded_metadata_files, write_paths
from app.metadata.shapes import JsonObject
from app.observability.failpoints import failpoint
from app.observability.logs import get_logger
from app.storage import locations

log = get_logger(__name__)

DELETE_SUPERSEDED = "delete-superseded-metadata"
KEEP_CHANGES = "keep-changes"
KEEP_AUDIT = "keep-audit"
KEEP_REVOKED_TOKENS = "keep-revoked-tokens"
KEEP_JOBS = "keep-jobs"
KEEP_VENDED_PLACES = "keep-vended-places"
KEEP_IDEMPOTENCY_KEYS = "keep-idempotency-keys"
KEEP_METRIC_REPORTS = "keep-metric-reports"
PERIODS = {
    KEEP_IDEMPOTENCY_KEYS: 300.0,
    **dict.fromkeys(
        (
            KEEP_CHANGES,
            KEEP_METRIC_REPORTS,
            KEEP_AUDIT,
            KEEP_REVOKED_TOKENS,
            KEEP_JOBS,
            KEEP_VENDED_PLACES,
        ),
        3600.0,
    ),
}


def enqueue_superseded(tx: Transaction, warehouse_id: int, old: JsonObject, new: JsonObject) -> None:
    """With ``write.metadata.delete-after-commit.enabled``: have the files deleted that left the metadata log."""
    files = superseded_metadata_files(old, new)
    if files:
        payload = {"warehouse_id": warehouse_id, "files": files, "within": write_paths(new)}
        enqueue(tx, DELETE_SUPERSEDED, payload)


def delete_superseded(catalog: Catalog, job: Job) -> str:
    """Delete old metadata files below the table's own locations that no table or view points to.

    Its write paths may lead into the location of another table, whose files are left alone whatever they are.
    """
    within = job.payload["within"]
    storages = catalog.storages.of(load_warehouse(catalog.db, job.payload["warehouse_id"]))
    own = [
        file
        for file in job.payload["files"]
        if storages.allowed.allows(file) and any(locations.is_within(file, place) for place in within)
    ]
    named = catalog.db.fetch_all(
        "list_named_metadata_files", warehouse_id=job.payload["warehouse_id"], files=own
    )
    others = _in_other_tables(catalog, own, locations.key(within[0]))
    free = sorted(set(own) - {row.metadata_location for row in named} - others)
    left = 0
    for file in free:
        job.check()
        for location, reason in storages.for_location(file).delete([file], checksums=True).items():
            left += 1
            log.warning("superseded metadata file is left over", location=location, error=reason)
        failpoint("superseded.deleted")
    return f"{len(free) - left} files deleted, {len(job.payload['files']) - len(free)} not ours, {left} left over"


def _in_other_tables(catalog: Catalog, files: list[str], own_key: str) -> set[str]:
    """Return those of the files that lie in the location of a table or view, live or held, with another key."""
    around = {file: set(locations.ancestors(file)) for file in files}
    keys = sorted(set().union(*around.values()) - {own_key})
    found = {row.location_key for row in catalog.db.fetch_all("find_live_containers", keys=keys)}
    return {file for file, above in around.items() if above & found}


def keep_changes(catalog: Catalog, _: Job) -> str:
    """Make the next days' partitions of the change log and drop those that nobody needs any more.

    The log is kept for ``changes.retention``, and as part of the audit for ``audit.retention_days``.
    """
    made = sum(row.created for row in catalog.db.fetch_all("create_changes_partitions"))
    settings = catalog.settings
    retention = max(settings.changes.retention, settings.audit.retention if settings.audit.enabled else 0)
    dropped = catalog.db.fetch_one("drop_changes_partitions", retention=retention).dropped
    return f"{made} partitions made, {dropped} dropped"


def keep_audit(catalog: Catalog, _: Job) -> str:
    """Make the next days' partitions of the audit and drop those beyond ``audit.retention_days``."""
    made = sum(row.created for row in catalog.db.fetch_all("create_audit_partitions"))
    retention = catalog.settings.audit.retention
    dropped = catalog.db.fetch_one("drop_audit_partitions", retention=retention).dropped
    return f"{made} partitions made, {dropped} dropped"


def keep_metric_reports(catalog: Catalog, _: Job) -> str:
    """Make the next days' partitions of the clients' reports and drop those beyond ``metrics.report_retention``."""
    made = sum(row.created for row in catalog.db.fetch_all("create_metric_report_partitions"))
    retention = catalog.settings.metrics.report_retention
    dropped = catalog.db.fetch_one("drop_metric_report_partitions", retention=retention).dropped
    return f"{made} partitions made, {dropped} dropped"


def keep_idempotency_keys(catalog: Catalog, _: Job) -> str:
    """Forget keys that nobody may use any more, with as much grace as their lifetime."""
    age = 2 * catalog.settings.catalog.idempotency_key_lifetime
    deleted = catalog.db.execute("delete_old_idempotency_keys", age=age)
    return f"{deleted} rows deleted"


def keep_jobs(catalog: Catalog, _: Job) -> str:
    """Forget jobs that ended longer ago than ``changes.retention``."""
    return f"{delete_finished(catalog.db, catalog.settings.changes.retention)} rows deleted"


def keep_revoked_tokens(catalog: Catalog, _: Job) -> str:
    """Forget revoked tokens that nobody could use or exchange any more."""
    return f"{forget_revoked_tokens(catalog)} rows deleted"


def keep_vended_places(catalog: Catalog, _: Job) -> str:
    """Forget places whose keys have ended."""
    gone = catalog.db.execute("delete_old_vended_places")
    return f"{gone} rows deleted"
