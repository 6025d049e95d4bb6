"""What a person reads once a node is ready."""

from app.cli.supervision.node import Node
from app.config import Settings
from app.config.openid_checks import is_loopback
from app.observability.state import build

_SCREEN = """
Bingsan {version} is ready.

  URL         {url}
  API         {url}/docs
  Access      {access}
  Warehouse   {name}  {warehouse}
  Database    {database}

PyIceberg

  from pyiceberg.catalog import load_catalog
  catalog = load_catalog("bingsan", type="rest", uri="{url}"{credential})
  print(catalog.list_namespaces())

Spark SQL

  spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0 \\
    --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions \\
    --conf spark.sql.catalog.bingsan=org.apache.iceberg.spark.SparkCatalog \\
    --conf spark.sql.catalog.bingsan.type=rest \\
    --conf spark.sql.catalog.bingsan.uri={url} \\
{spark_credential}    --conf spark.sql.defaultCatalog=bingsan

Ctrl-C stops it; all data stays.
"""


def screen(node: Node) -> str:
    shown = credential(node.settings)
    return _SCREEN.format(
        version=build().version,
        url=node.listener.url,
        access=access(node.settings),
        credential="".join(f', {name}="{value}"' for name, value in shown),
        spark_credential="".join(
            f"    --conf spark.sql.catalog.bingsan.{name}={value} \\\n" for name, value in shown
        ),
        name=node.settings.catalog.default_warehouse,
        warehouse=node.settings.storage.warehouse,
        database=_database(node),
    )


def access(settings: Settings) -> str:
    """Who may come in."""
    if settings.auth.enabled:
        return "who shows a credential; `bingsan bootstrap` makes the first (docs/security.md)"
    if is_loopback(settings.server.host):
        return f"everybody on this machine, nobody else: it listens on {settings.server.host} only"
    return f"everybody who reaches {settings.server.host}, without being asked who they are"


def credential(settings: Settings) -> list[tuple[str, str]]:
    """The client property that says who somebody is, if that is asked for."""
    if not settings.auth.enabled:
        return []
    return [("credential", "CLIENT_ID:SECRET") if settings.auth.oauth2.enabled else ("token", "API_KEY")]


def _database(node: Node) -> str:
    if node.postgres is None:
        database = node.settings.database
        return f"{database.database} on {database.host}:{database.port}"
    layout = node.postgres.layout
    text = f"PostgreSQL {layout.major()} in {layout.data}"
    if layout.elsewhere:
        text += f"\n              (its user cannot enter {layout.home})"
    return text
