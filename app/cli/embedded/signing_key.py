"""The key that signs the access tokens of a node that keeps everything itself."""

import base64
import dataclasses
import os
import secrets
from pathlib import Path

from app.config import Settings
from app.observability.logs import get_logger
from app.storage.sealing import KEY_BYTES

log = get_logger(__name__)
FILE = "signing-key"


def with_signing_key(settings: Settings) -> Settings:
    """The settings with the key of the file in ``home``, made when there is none; a configured key is kept."""
    auth = settings.auth
    if auth.signing_key or not (auth.enabled and auth.oauth2.enabled):
        return settings
    path = Path(settings.home) / FILE
    if not path.exists():
        _make(path)
        log.warning("made a key that signs access tokens; other nodes would need the same", file=str(path))
    auth = dataclasses.replace(auth, signing_key=path.read_text("ascii").strip())
    return dataclasses.replace(settings, auth=auth)


def _make(path: Path) -> None:
    """Write it whole or not at all; the node owns its home, so nobody else does the same."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
