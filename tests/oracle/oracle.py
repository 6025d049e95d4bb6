"""Ask Iceberg's own Java library, in one JVM, what it makes of metadata updates."""

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.support.cache import cached
from tests.support.java import fetch_classpath, java_home

ICEBERG = "1.12.0"
SOURCE = Path(__file__).with_name("MetadataOracle.java")


@cache
def classpath() -> list[Path]:
    return fetch_classpath(f"iceberg-core-{ICEBERG}", f"org.apache.iceberg:iceberg-core:{ICEBERG}")


def compiled() -> Path:
    """Return the folder with the compiled oracle; its name changes with the source."""
    digest = f"{hash_of(SOURCE)}-{ICEBERG}"

    def compile_source(folder: Path) -> None:
        command = [java_home() / "bin" / "javac", "-cp", joined(classpath()), "-d", folder, SOURCE]
        subprocess.run(command, check=True, capture_output=True, text=True)

    return cached(f"oracle/{digest}", compile_source)


def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one answer per question: ``document``, or ``error`` and ``message``."""
    lines = b"\n".join(map(msgspec.json.encode, questions))
    command = [
        java_home() / "bin" / "java",
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-cp",
        joined([compiled(), *classpath()]),
        "MetadataOracle",
    ]
    done = subprocess.run(command, input=lines, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    answers = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions), done.stderr
    return answers


def joined(paths: list[Path]) -> str:
    return os.pathsep.join(map(str, paths))


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
