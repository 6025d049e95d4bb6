"""What somebody can do in MinIO with keys that the catalog vended."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.calls import Tabular, ok
from tests.contract.managed import s3_profile
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.server import Client, TestServer
from tests.support.warehouses import VendingWarehouse

BUCKET, OTHER = "vending", "vending-2"
SECURED = "vending-secured"
READER = ("read-metadata", "read-data", "vend")
WRITER = (*READER, "write-data")
HOUR = 3600
ASKING = {"X-Iceberg-Access-Delegation": "vended-credentials"}
DENIED = {"AccessDenied", "403"}
UNNAMEABLE = {"XMinioInvalidResourceName", "XMinioInvalidObjectName", "InvalidArgument", "400"}
"""What MinIO says of keys with ``..``, which no object can have there."""


class Holder:
    """Somebody who holds keys; closed at the end."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def outcome(self, call: Callable[..., Any], **request: Any) -> str:
        """Return ``ok`` or the error that the store answers."""
        try:
            answer = call(**request)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        errors = answer.get("Errors")
        return str(errors[0]["Code"]) if errors else "ok"

    def attempts(self, bucket: str, key: str, inside: Mapping[str, str]) -> dict[str, str]:
        """Return what comes of everything that can be done with a key; ``inside`` is an object that may be used."""
        s3, place = self.client, {"Bucket": bucket, "Key": key}
        calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            "get": (s3.get_object, place),
            "head": (s3.head_object, place),
            "put": (s3.put_object, {**place, "Body": b"x"}),
            "delete": (s3.delete_object, place),
            "delete many": (s3.delete_objects, {"Bucket": bucket, "Delete": {"Objects": [{"Key": key}]}}),
            "begin upload": (s3.create_multipart_upload, place),
            "list uploads": (s3.list_multipart_uploads, {"Bucket": bucket, "Prefix": key}),
            "copy from": (s3.copy_object, {**inside, "Key": f"{inside['Key']}-copy", "CopySource": place}),
            "copy to": (s3.copy_object, {**place, "CopySource": dict(inside)}),
            "list": (s3.list_objects_v2, {"Bucket": bucket, "Prefix": key}),
            "list old": (s3.list_objects, {"Bucket": bucket, "Prefix": key}),
            "list versions": (s3.list_object_versions, {"Bucket": bucket, "Prefix": key}),
            "tag": (s3.put_object_tagging, {**place, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
        }
        return {name: self.outcome(call, **request) for name, (call, request) in calls.items()}


@contextmanager
def holder(minio: Minio, config: Mapping[str, str]) -> Iterator[Holder]:
    """Somebody with the keys of a table's ``config``."""
    keys = (config["s3.access-key-id"], config["s3.secret-access-key"], config["s3.session-token"])
    client = minio.client(*keys)
    try:
        yield Holder(client)
    finally:
        client.close()


def load(table: Tabular, **headers: str) -> dict[str, Any]:
    return ok(table.client.get(table.path, headers={**ASKING, **headers}))


def issued(server: TestServer, name: str) -> list[dict[str, Any]]:
    """Return the details of all credentials that were issued for a table of this name."""
    database = server.database
    assert database is not None
    query = "SELECT details::jsonb FROM audit_events WHERE action = 'credentials.issued' AND name = %s ORDER BY at"
    return [row[0] for row in database.query(query, name)]


def own_profile(warehouse: VendingWarehouse, **more: Any) -> dict[str, Any]:
    """Return the profile of a warehouse elsewhere in the bucket, with the keys of the service's user."""
    keys = {"access-key-id": warehouse.user.access_key, "secret-access-key": warehouse.user.secret_key}
    more = {"delegation": ["vended-credentials"], **more}
    return s3_profile(warehouse.minio, BUCKET, credentials={"type": "inline", **keys}, **more)


def table_in(client: Client, made: dict[str, Any]) -> str:
    """Create a table in a warehouse and return its path."""
    spaces, name = f"/v1/{made['prefix']}/namespaces", unique_name("ns")
    ok(client.post(spaces, json={"namespace": [name]}))
    ok(client.post(f"{spaces}/{name}/tables", json=create_table_request("t")))
    return f"{spaces}/{name}/tables/t"


def seen_by(client: Client, table: Tabular) -> Tabular:
    return Tabular(client, table.namespace, table.name, table.path)
