"""The configurations of docs/clients.md, with addresses and keys of a server under test instead of the page's own."""

import re
from urllib.parse import urlsplit

from tests.support.server import ROOT, TestServer

PAGE = ROOT / "docs" / "clients.md"
BLOCK = re.compile(r"^```\w+ ([\w.-]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
URL = "http://127.0.0.1:8181"
STORE = "minio.example.com:9000"


def blocks() -> dict[str, str]:
    """Return the text of the page's named code blocks by name."""
    found = BLOCK.findall(PAGE.read_text())
    texts = dict(found)
    assert len(texts) == len(found), "two code blocks of docs/clients.md have one name"
    return texts


def configuration(client: str, server: TestServer) -> str:
    """Return what the page says for a client, of files, of S3 with keys of its own or without, as the server has it."""
    storage = server.warehouse.client_properties()
    texts = blocks()
    flavour = "vended" if "s3.access-key-id" not in storage else "s3"
    text = texts.get(f"{client}-{flavour}", texts[client]) if storage else texts[client]
    return fill(text, {URL: server.url, **(stand_ins(storage) if storage else {})})


def stand_ins(storage: dict[str, str]) -> dict[str, str]:
    """Return what stands for the page's own endpoint and keys."""
    return {
        STORE: urlsplit(storage["s3.endpoint"]).netloc,
        "YOUR_KEY": storage.get("s3.access-key-id", ""),
        "YOUR_SECRET": storage.get("s3.secret-access-key", ""),
        "us-east-1": storage["s3.region"],
    }


def fill(text: str, stand_ins: dict[str, str]) -> str:
    for example, value in stand_ins.items():
        text = text.replace(example, value)
    return text


def properties(text: str, separator: str | None = None) -> dict[str, str]:
    """Return lines of ``key value`` as a dictionary; the separator is white space unless given."""
    pairs = (line.split(separator, 1) for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, value in pairs}
