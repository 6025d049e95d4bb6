"""The JDK and jars from Maven Central."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.support.cache import cached
from tests.support.process import SetupError, install, require_program, run

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
JDK_VERSIONS = (17, 21)  # what Spark 4.1 runs on


@cache
def java_home() -> Path:
    """Return the folder of a JDK that Spark can use; as root it is installed when missing."""
    found = find_jdk()
    if not found:
        packages = [f"openjdk-{version}-jdk-headless" for version in JDK_VERSIONS]
        install(*packages, reason=f"The tests need a JDK {' or '.join(map(str, JDK_VERSIONS))}")
        found = find_jdk()
    if not found:
        raise SetupError("no JDK 17 or 21 found after installing one")
    return found


def find_jdk() -> Path | None:
    candidates = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("javac")
    if on_path:
        candidates.append(Path(on_path).resolve().parent.parent)
    candidates += sorted(Path("/usr/lib/jvm").glob("*"))
    for version in JDK_VERSIONS:
        for home in candidates:
            if (home / "bin" / "javac").exists() and jdk_version(home) == version:
                return home
    return None


def jdk_version(home: Path) -> int:
    asked = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=True)
    match = re.search(r'version "(\d+)', asked.stderr)
    return int(match.group(1)) if match else 0


def fetch(coordinate: str, folder: Path) -> Path:
    """Download ``group:artifact:version``, or ``group:artifact:version:type``, into a folder; return the file."""
    _, artifact, version, kind = (*coordinate.split(":"), "jar")[:4]
    maven(f"{DEPENDENCY_PLUGIN}:copy", f"-Dartifact={coordinate}", f"-DoutputDirectory={folder}")
    return folder / f"{artifact}-{version}.{kind}"


def fetch_jars(*coordinates: str) -> list[Path]:
    """Return the jars of ``group:artifact:version`` without what they depend on; they are downloaded once."""
    return [fetch_jar(each) for each in coordinates]


def fetch_jar(coordinate: str) -> Path:
    group, artifact, version = coordinate.split(":")

    folder = cached(f"jars/{group}/{artifact}/{version}", lambda empty: fetch(coordinate, empty))
    return folder / f"{artifact}-{version}.jar"


def fetch_classpath(name: str, *coordinates: str) -> list[Path]:
    """Return the jars of ``group:artifact:version`` and of all they need at run time, kept under ``name``.

    ``name`` must change when the coordinates do.
    """

    def download(folder: Path) -> None:
        pom = folder / "pom.xml"
        pom.write_text(project(coordinates))
        goal = f"{DEPENDENCY_PLUGIN}:copy-dependencies"
        maven("-f", str(pom), goal, f"-DoutputDirectory={folder}", "-DincludeScope=runtime")

    return sorted(cached(f"classpath/{name}", download).glob("*.jar"))


def project(coordinates: tuple[str, ...]) -> str:
    """Return a Maven project that depends on the coordinates."""
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
            *coordinate.split(":")
        )
        for coordinate in coordinates
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId>"
        f"<version>1</version><packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )


def maven(*arguments: str) -> None:
    program = require_program("mvn", "maven")
    run([program, "-B", "-q", "-ntp", *arguments], env={**os.environ, "JAVA_HOME": str(java_home())})
