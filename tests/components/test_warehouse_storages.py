"""The storages of warehouses: connected once, again when the row or the secret changed, never too many at once."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.catalog.context import Warehouse
from app.catalog.storages import MOST_CONNECTED, WarehouseStorages
from app.config import Settings
from app.storage.profiles import CredentialsReference, StorageProfile
from tests.factories import unique_name
from tests.support.minio import Minio


@pytest.fixture
def storages(tmp_path: Path, minio: Minio) -> WarehouseStorages:
    environment = {
        "ICEBERG_HOME": str(tmp_path),
        "ICEBERG_DATABASE_HOST": "unused",
        "ICEBERG_SECRETS_FOLDER": str(tmp_path),
        "ICEBERG_STORAGE_ALLOWED_ENDPOINTS": minio.endpoint,
    }
    return WarehouseStorages(Settings.load(environ=environment))


def warehouse(profile: StorageProfile | None, number: int = 2, version: int = 1) -> Warehouse:
    now = datetime.now(UTC)
    return Warehouse(
        id=number,
        name=f"w{number}",
        prefix=f"w{number}",
        root_location="" if profile is None else profile.root_location,
        is_default=profile is None,
        is_active=True,
        is_protected=False,
        soft_delete_seconds=None,
        profile=profile,
        sealed_secret=None,
        version=version,
        created_at=now,
        updated_at=now,
    )


def local(tmp_path: Path, name: str = "w") -> StorageProfile:
    return StorageProfile("local", f"file://{tmp_path / name}")


def test_connected_once_per_version(storages: WarehouseStorages, tmp_path: Path) -> None:
    first = warehouse(local(tmp_path))
    connected = storages.of(first)
    assert storages.of(dataclasses.replace(first)) is connected
    changed = dataclasses.replace(first, version=2, profile=local(tmp_path, "other"))
    newer = storages.of(changed)
    assert newer is not connected
    assert newer.allowed.allows(f"{tmp_path}/other/x")
    assert not newer.allowed.allows(f"{tmp_path}/w/x")


def test_who_has_an_old_row_gets_what_is_newer(storages: WarehouseStorages, tmp_path: Path) -> None:
    first = warehouse(local(tmp_path))
    newer = storages.of(dataclasses.replace(first, version=2))
    assert storages.of(first) is newer


def test_the_default_warehouse_needs_no_profile(storages: WarehouseStorages) -> None:
    assert storages.of(warehouse(None)) is storages.default
    assert storages.of(warehouse(None, version=9)) is storages.default


def test_the_one_unused_for_longest_is_let_go(storages: WarehouseStorages, tmp_path: Path) -> None:
    profile = local(tmp_path)
    connected = [storages.of(warehouse(profile, number)) for number in range(MOST_CONNECTED)]
    assert storages.of(warehouse(profile, 0)) is connected[0]
    storages.of(warehouse(profile, MOST_CONNECTED))
    assert storages.of(warehouse(profile, 0)) is connected[0]
    assert storages.of(warehouse(profile, 1)) is not connected[1]


def test_a_replaced_client_still_ends_what_it_does(
    storages: WarehouseStorages, tmp_path: Path, minio: Minio
) -> None:
    bucket = minio.create_bucket(unique_name("replaced").replace("_", "-"))
    secret = tmp_path / "s.json"
    secret.write_text(json.dumps({"access-key-id": minio.access_key, "secret-access-key": minio.secret_key}))
    reference = CredentialsReference("secret", "s")
    profile = StorageProfile("s3", f"s3://{bucket}", (), minio.endpoint, minio.region, True, reference)
    old = storages.of(warehouse(profile))
    location = f"s3://{bucket}/a"
    old.for_location(location).write_new(location, b"content")
    new = storages.of(warehouse(profile, version=2))
    assert new is not old
    assert old.for_location(location).read(location, 100) == b"content"
    assert new.for_location(location).read(location, 100) == b"content"
    old.close()
    new.close()
