"""A server on which warehouses are created, as tests use it."""

import base64
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import requests

from tests.contract.calls import ok
from tests.factories import unique_name
from tests.support.minio import Minio
from tests.support.server import Client

WAREHOUSES = "/management/v1/warehouses"
DAY = 86_400
WEEK = 7 * DAY


class Grounds:
    """What such a server is given: a folder for local warehouses, one with secrets, a key, endpoints it may use."""

    def __init__(self, *endpoints: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-grounds-"))
        self.roots, self.secrets = self.folder / "roots", self.folder / "secrets"
        self.roots.mkdir()
        self.secrets.mkdir()
        self.key = base64.b64encode(os.urandom(32)).decode()
        self.endpoints = endpoints

    def settings(self) -> dict[str, object]:
        return {
            "storage.local.allowed_roots": self.roots,
            "storage.allowed_endpoints": ",".join(self.endpoints),
            "secrets.folder": self.secrets,
            "secrets.key": self.key,
        }

    def put_secret(self, name: str, minio: Minio) -> None:
        keys = {"access-key-id": minio.access_key, "secret-access-key": minio.secret_key}
        (self.secrets / f"{name}.json").write_text(json.dumps(keys))

    def local(self, name: str | None = None, **more: Any) -> dict[str, Any]:
        """Return a storage profile below the folder for local warehouses."""
        return {
            "type": "local",
            "root-location": f"file://{self.roots / (name or unique_name('root'))}",
            **more,
        }

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def s3_profile(minio: Minio, bucket: str, **more: Any) -> dict[str, Any]:
    """Return the profile of a new place in a bucket, with its keys in it."""
    return {
        "type": "s3",
        "root-location": f"s3://{bucket}/{unique_name('root')}",
        "endpoint": minio.endpoint,
        "region": minio.region,
        "credentials": {
            "type": "inline",
            "access-key-id": minio.access_key,
            "secret-access-key": minio.secret_key,
        },
        **more,
    }


def create(client: Client, profile: dict[str, Any], name: str | None = None, **more: Any) -> dict[str, Any]:
    """Create a warehouse and return it."""
    return ok(try_create(client, profile, name, **more), 201)


def try_create(
    client: Client, profile: dict[str, Any], name: str | None = None, **more: Any
) -> requests.Response:
    body = {"name": name or unique_name("warehouse"), "storage-profile": profile, **more}
    return client.post(WAREHOUSES, json=body)


def path_of(warehouse: dict[str, Any] | str) -> str:
    name = warehouse if isinstance(warehouse, str) else warehouse["name"]
    return f"{WAREHOUSES}/{name}"


def change(client: Client, warehouse: dict[str, Any] | str, **members: Any) -> requests.Response:
    """Send a PATCH; ``soft_delete`` stands for ``soft-delete``."""
    body = {name.replace("_", "-"): value for name, value in members.items()}
    return client.patch(path_of(warehouse), json=body)
