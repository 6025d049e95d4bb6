"""Clients of AWS services, and of what speaks their protocols."""

import threading
from functools import cache
from typing import Any, cast

import boto3
import botocore.session
from botocore.config import Config

from app.storage.s3_guard import guard

_SESSION_LOCK = threading.Lock()


def aws_client(service: str, *, public_only: bool, config: Config, **options: Any) -> Any:
    """
    :param public_only: refuse to connect to private, loopback and link-local addresses
    :param options: those of boto3
    """
    if public_only:
        # Behind a proxy nobody would know which address is reached.
        config = config.merge(Config(proxies={}))
    with _SESSION_LOCK:
        client = cast(Any, _session()).client(service, config=config, **options)
    if public_only:
        guard(client)
    return client


def _session() -> boto3.session.Session:
    """A session of its own, but for the models of AWS: reading those takes longer than anything else."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return boto3.session.Session(botocore_session=session)


@cache
def _loader() -> Any:
    return botocore.session.get_session().get_component("data_loader")
