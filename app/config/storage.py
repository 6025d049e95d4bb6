"""Settings of the default warehouse's storage."""

# ruff: noqa: RUF009 - section() makes a dataclass field, not a default

from dataclasses import dataclass

from app.config.options import boolean, choice, duration, integer, secret, section, text, text_list


@dataclass(frozen=True)
class LocalStorageSettings:
    allowed_roots: tuple[str, ...] = text_list(
        "Folders under which the management API may create local warehouses; none without it."
    )
    root_path: str = text("", "Folder of the local warehouse; default: `warehouse` in `home`.")


@dataclass(frozen=True)
class S3Settings:
    endpoint: str = text("", "URL of an S3-compatible store; empty is AWS.")
    region: str = text("us-east-1", "Region of the bucket.")
    access_key_id: str = text(
        "", "Access key; empty takes the default chain (environment, profile, instance)."
    )
    secret_access_key: str = secret("", "Secret of the access key.")
    bucket: str = text("", "Bucket of the warehouse if storage.warehouse is not set.")
    use_path_style: bool = boolean(False, "Address buckets as path (MinIO) instead of host name.")
    delegation: tuple[str, ...] = text_list(
        "How clients without keys of their own are let at the files of a table: vended-credentials, remote-signing,"
        " static-keys (the access key itself). Without it vended-credentials if role_arn is set, else none."
    )
    role_arn: str = text("", "Role that vended credentials are sessions of; needed on AWS, MinIO has none.")
    external_id: str = text("", "External id that the role asks for.")
    session_duration: float = duration(
        "1h", "How long vended credentials are good; clients renew them.", low="15m", high="12h"
    )
    sts_endpoint: str = text(
        "",
        "URL of the security token service; empty is storage.s3.endpoint, or AWS without that. With it, or role_arn,"
        " remote-signing signs with keys that end at the table.",
    )

    @property
    def ways(self) -> tuple[str, ...]:
        """``delegation``, or what it is when nothing was said."""
        return self.delegation or (("vended-credentials",) if self.role_arn else ())


@dataclass(frozen=True)
class StorageSettings:
    type: str = choice("local", ("local", "s3"), "Where the default warehouse lies.")
    warehouse: str = text(
        "", "Root location of the default warehouse; default: storage.local.root_path, or s3://<bucket>."
    )
    allowed_locations: tuple[str, ...] = text_list(
        "Further location prefixes (s3://…, file:///…) that tables may lie under."
    )
    allowed_endpoints: tuple[str, ...] = text_list(
        "S3 endpoints (https://host:port) that the management API may use although they are private, loopback or"
        " link-local addresses."
    )
    timeout: float = duration("5s", "Time limit of one call to storage.", low="10ms")
    deadline: float = duration("15s", "Time limit of a storage operation with its retries.", low="10ms")
    max_threads: int = integer(32, 1, 1024, "Storage calls of one worker that run at the same time.")
    local: LocalStorageSettings = section(LocalStorageSettings)
    s3: S3Settings = section(S3Settings)
