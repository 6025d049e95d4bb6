"""Bingsan: an Apache Iceberg REST catalog. ``create_app`` is the only place where the service is wired."""

from functools import partial
from typing import TYPE_CHECKING

from app.config import Settings

if TYPE_CHECKING:  # the supervisor and gunicorn's master start faster without them
    from app.api.application import Application
    from app.api.context import Services
    from app.auth.authenticator import Authenticator
    from app.db import Database


def create_app(settings: Settings) -> "Application":
    """Wire the service of one process. Nothing is connected before the first request."""
    from app.api.admission import Admission
    from app.api.application import Application
    from app.api.compression import Compression
    from app.api.errors import install_error_handlers
    from app.api.etags import names
    from app.db import Database
    from app.observability import failpoints
    from app.server.hot.services import EXTENSION as HOT
    from app.server.hot.services import HotServices

    failpoints.arm(settings.testing.failpoints)
    db = Database.for_worker(settings)
    services = _services(settings, db)
    app = Application(__name__, services)
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.max_request_body_size
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    _mount(app)
    _measure(app, settings, db, services)
    Admission(settings.limits.max_in_flight_per_worker).install(app)
    Compression(settings, services.catalog.cpu).install(app)
    install_error_handlers(app)
    _surround(app, settings)
    app.extensions[HOT] = HotServices(
        services.authenticator,
        services.buckets,
        names,
        services.catalog,
        services.warehouses,
        services.authorities,
        services.policy,
    )
    return app


def _services(settings: Settings, db: "Database") -> "Services":
    """What view functions work with."""
    from app.api.context import Services
    from app.auth.attempts import Attempts
    from app.auth.authority import Authorities
    from app.auth.decide import Policy
    from app.auth.oauth import issuer_of
    from app.auth.rates import TokenBuckets
    from app.catalog.context import Catalog
    from app.catalog.metric_reports import report_buffer
    from app.catalog.storages import WarehouseStorages
    from app.catalog.warehouses import Warehouses
    from app.changes.audit import Audit
    from app.db.probe import Probe
    from app.observability import lifecycle
    from app.storage.executor import in_threads

    catalog = Catalog(settings, db, WarehouseStorages(settings), in_threads("compression", 2, 15.0))
    reports, audit = report_buffer(db), Audit(db, settings.audit)
    lifecycle.at_worker_stop(audit.close)
    lifecycle.at_worker_stop(reports.close)
    attempts = Attempts(settings.auth.max_failures_per_minute)
    authorities, policy, authenticator = Authorities(db), Policy.of(settings), _authenticator(settings, db)
    rate = settings.rate_limit.requests_per_second
    return Services(
        catalog,
        Warehouses(catalog),
        Probe(settings),
        reports,
        audit,
        attempts,
        authorities,
        policy,
        authenticator,
        issuer_of(settings, authenticator),
        TokenBuckets(rate, settings.rate_limit.burst or rate) if rate else None,
    )


def _authenticator(settings: Settings, db: "Database") -> "Authenticator | None":
    """What knows who asks, where that is asked for."""
    from app.api.context import origin_of
    from app.auth.authenticator import authenticator_of
    from app.catalog.openid_sessions import OpenIdSessions
    from app.observability import lifecycle

    if not settings.auth.enabled:
        return None
    authenticator = authenticator_of(settings, db, [OpenIdSessions(settings, db, origin_of)])
    lifecycle.at_worker_stop(authenticator.last_used.close)
    return authenticator


def _mount(app: "Application") -> None:
    """Mount every operation, and the document that is made of their declarations."""
    from app.api import health, oauth
    from app.api import metrics as exposition
    from app.api.config import mount_config
    from app.api.document.routes import DocumentRoutes
    from app.api.management.operations import ManagementOperations
    from app.api.management.resources import MANAGED
    from app.api.operations import Operations
    from app.api.resources import RESOURCES

    mounted: list[Operations | ManagementOperations] = [mount_config(RESOURCES), *RESOURCES, *MANAGED]
    for resource in mounted:
        resource.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(oauth.blueprint)
    declared = {resource.blueprint.name: resource.declarations for resource in mounted}
    declared["oauth"] = oauth.declarations
    declared["health"] = {**health.declarations, **exposition.declarations}
    app.register_blueprint(DocumentRoutes(declared).blueprint)


def _measure(app: "Application", settings: Settings, db: "Database", services: "Services") -> None:
    """Figures, and who may read them."""
    from app.api import metrics as exposition
    from app.catalog.counts import count_entities
    from app.observability.metrics import metrics

    count, readers = partial(count_entities, db), exposition.readers_of(settings)
    exposition.init_metrics(app, count=count, ready=services.probe.is_alive, readers=readers)
    metrics.watch_pool(db.statistics)
    if settings.metrics.label_tables:
        metrics.label_commits_by_table()


def _surround(app: "Application", settings: Settings) -> None:
    """Layers of WSGI around the application."""
    from app.api.routing import RawPath
    from app.observability.forwarding import TrustedProxies
    from app.observability.middleware import ObservedApplication
    from app.server.border import Application, Border
    from app.server.cross_origin import CrossOrigin

    inside: Application = RawPath(app.wsgi_app)
    if settings.server.cors_origins:
        credentials = settings.server.cors_credentials
        inside = CrossOrigin(inside, settings.server.cors_origins, credentials=credentials)
    proxies = TrustedProxies(settings.server.trusted_proxies)
    app.wsgi_app = Border(ObservedApplication(inside), proxies)  # type: ignore[method-assign]
