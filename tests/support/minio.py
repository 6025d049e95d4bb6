"""A real MinIO, built once from source with Go, on a free port and in a temporary folder."""

import io
import json
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Self

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.go import go_install
from tests.support.process import SetupError, eventually, free_port, start, stop

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
REGION = "us-east-1"


class User(NamedTuple):
    """The keys of somebody other than the root user."""

    access_key: str
    secret_key: str


class Minio:
    """An object store that speaks S3 over plain HTTP with path-style addresses.

    :param domain: name of the host before which it also takes buckets; nobody resolves those
    """

    def __init__(self, domain: str = "") -> None:
        self.domain = domain
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-minio-"))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.access_key = "test-" + secrets.token_hex(6)
        self.secret_key = secrets.token_hex(20)
        self.region = REGION

    def __enter__(self) -> Self:
        program = go_install(MODULE, VERSION)
        log = self.folder / "minio.log"
        environment = {
            **os.environ,
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_UPDATE": "off",
            "MINIO_BROWSER": "off",
            **({"MINIO_DOMAIN": self.domain} if self.domain else {}),
        }
        address = ["--address", f"127.0.0.1:{self.port}"]
        data = self.folder / "data"
        self.process = start([program, "server", data, "--quiet", *address], log, env=environment)
        eventually(self.is_ready, 30, f"MinIO is healthy (log: {log})")
        return self

    def __exit__(self, *fault: object) -> None:
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SetupError(f"MinIO ended: {(self.folder / 'minio.log').read_text()}")
        return requests.get(f"{self.endpoint}/minio/health/ready", timeout=1).ok

    def client(self, access_key: str = "", secret_key: str = "", token: str | None = None) -> Any:
        """Return a boto3 client, with the root keys unless others are given; the caller closes it."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=access_key or self.access_key,
            aws_secret_access_key=secret_key or self.secret_key,
            aws_session_token=token,
            region_name=self.region,
        )

    def add_user(self, *buckets: str) -> User:
        """Return a new user who may do anything in some buckets: root cannot assume a role, such a user can."""
        user, policy = (
            User("user-" + secrets.token_hex(6), secrets.token_hex(20)),
            "only-" + "-".join(buckets),
        )
        resources = [f"arn:aws:s3:::{bucket}{rest}" for bucket in buckets for rest in ("", "/*")]
        statement = {"Effect": "Allow", "Action": ["s3:*"], "Resource": resources}
        self._import(
            {
                "policies": {policy: {"Version": "2012-10-17", "Statement": [statement]}},
                "users": {user.access_key: {"secretKey": user.secret_key, "status": "enabled"}},
                "user_mappings": {user.access_key: {"version": 1, "policy": policy}},
            }
        )
        return user

    def _import(self, assets: Mapping[str, object]) -> None:
        """Import users and policies, as ``mc admin cluster iam import`` does."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in assets.items():
                file.writestr(f"iam-assets/{name}.json", json.dumps(content))
        asked = AWSRequest("PUT", f"{self.endpoint}/minio/admin/v3/import-iam", data=archive.getvalue())
        asked.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", self.region).add_auth(asked)
        answer = requests.put(asked.url, data=asked.data, headers=dict(asked.headers), timeout=10)
        if not answer.ok:
            raise SetupError(f"MinIO does not take the user: {answer.text}")

    def create_bucket(self, name: str) -> str:
        with closing(self.client()) as client:
            client.create_bucket(Bucket=name)
        return name

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object.

        :raises FileNotFoundError: when there is none
        """
        with closing(self.client()) as client:
            try:
                return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
            except client.exceptions.NoSuchKey as error:
                raise FileNotFoundError(f"s3://{bucket}/{key}") from error

    def keys(self, bucket: str, prefix: str = "") -> set[str]:
        """Return the keys below a prefix."""
        with closing(self.client()) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return {entry["Key"] for page in pages for entry in page.get("Contents", [])}
