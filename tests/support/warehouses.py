"""Where a server under test keeps its tables: a folder, or a prefix of a bucket on MinIO."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from tests.support.minio import Minio


class Warehouse(Protocol):
    """The root location, and how each party reaches it."""

    location: str

    def environment(self) -> dict[str, str]:
        """The service's variables."""

    def client_properties(self) -> dict[str, str]:
        """What PyIceberg and Spark need beyond the catalog's address."""

    def files(self) -> set[str]:
        """The locations of all files."""

    def read(self, location: str) -> bytes:
        """The content of a file.

        :raises OSError: when there is none
        """

    def remove(self) -> None:
        """Delete everything."""


class LocalWarehouse:
    """A temporary folder, or one inside another."""

    def __init__(self, parent: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-warehouse-", dir=parent))
        self.location = f"file://{self.folder}"

    def environment(self) -> dict[str, str]:
        return {"ICEBERG_STORAGE_TYPE": "local", "ICEBERG_STORAGE_WAREHOUSE": self.location}

    def client_properties(self) -> dict[str, str]:
        return {}

    def files(self) -> set[str]:
        return {f"file://{path}" for path in self.folder.rglob("*") if path.is_file()}

    def read(self, location: str) -> bytes:
        return Path(same_place(location).removeprefix("file://")).read_bytes()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class S3Warehouse:
    """A prefix of a bucket on MinIO."""

    def __init__(self, minio: Minio, bucket: str, prefix: str) -> None:
        self.minio, self.bucket, self.prefix = minio, bucket, prefix
        self.location = f"s3://{bucket}/{prefix}"

    def environment(self) -> dict[str, str]:
        return {
            "ICEBERG_STORAGE_TYPE": "s3",
            "ICEBERG_STORAGE_WAREHOUSE": self.location,
            "ICEBERG_STORAGE_S3_ENDPOINT": self.minio.endpoint,
            "ICEBERG_STORAGE_S3_REGION": self.minio.region,
            "ICEBERG_STORAGE_S3_ACCESS_KEY_ID": self.minio.access_key,
            "ICEBERG_STORAGE_S3_SECRET_ACCESS_KEY": self.minio.secret_key,
            "ICEBERG_STORAGE_S3_USE_PATH_STYLE": "true",
        }

    def client_properties(self) -> dict[str, str]:
        return {
            "s3.endpoint": self.minio.endpoint,
            "s3.region": self.minio.region,
            "s3.access-key-id": self.minio.access_key,
            "s3.secret-access-key": self.minio.secret_key,
            "s3.path-style-access": "true",
            "client.region": self.minio.region,
        }

    def files(self) -> set[str]:
        return {f"s3://{self.bucket}/{key}" for key in self.minio.keys(self.bucket, self.prefix + "/")}

    def read(self, location: str) -> bytes:
        return self.minio.read(self.bucket, same_place(location).removeprefix(f"s3://{self.bucket}/"))

    def remove(self) -> None:
        """The bucket goes with its MinIO."""


class VendingWarehouse(S3Warehouse):
    """The same, whose clients have no keys: the service, a user of this bucket (and ``also`` others), vends them."""

    def __init__(
        self,
        minio: Minio,
        bucket: str,
        prefix: str,
        *,
        also: Sequence[str] = (),
        ways: Sequence[str] = ("vended-credentials",),
    ) -> None:
        super().__init__(minio, bucket, prefix)
        self.user = minio.add_user(bucket, *also)
        self.ways = ways

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "ICEBERG_STORAGE_S3_ACCESS_KEY_ID": self.user.access_key,
            "ICEBERG_STORAGE_S3_SECRET_ACCESS_KEY": self.user.secret_key,
            "ICEBERG_STORAGE_S3_DELEGATION": ",".join(self.ways),
        }

    def client_properties(self) -> dict[str, str]:
        return {"s3.endpoint": self.minio.endpoint, "s3.region": self.minio.region}


class SigningWarehouse(VendingWarehouse):
    """The same, which gives nothing to clients but signatures; they are made with keys that end at the table."""

    def __init__(self, minio: Minio, bucket: str, prefix: str) -> None:
        super().__init__(minio, bucket, prefix, ways=["remote-signing"])

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "ICEBERG_STORAGE_S3_STS_ENDPOINT": self.minio.endpoint}


def same_place(location: str) -> str:
    """Return a location in the spelling that ``files()`` uses; engines write ``file:/x`` and ``/x`` too."""
    path = re.sub(r"^(file:)?/*/", "/", location)
    return f"file://{unquote(path)}" if path.startswith("/") else re.sub(r"^s3[an]://", "s3://", location)
