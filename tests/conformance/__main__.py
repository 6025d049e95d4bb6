"""Compare, prove, and check the page: ``python -m tests.conformance [--write]``."""

import argparse
import difflib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance import both_ways, matrix, official
from tests.conformance.differences import judge, read
from tests.conformance.structure import differences
from tests.support.own_document import own_document
from tests.support.recording import RECORDING
from tests.support.schemas import JsonObject

FOLDER = Path(__file__).parent
PAGE = official.ROOT / "docs" / "conformance.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="write docs/conformance.md instead of comparing it"
    )
    parser.add_argument(
        "--both-ways",
        action="store_true",
        help="send requests again by the hot way and by the stock way, and compare the answers' bytes",
    )
    parser.add_argument("tests", nargs="*", default=["tests/contract"], help="what pytest runs")
    options = parser.parse_args()
    try:
        theirs = official.load(official.find())
    except official.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    faults = compare(theirs)
    with tempfile.TemporaryDirectory() as folder:
        recordings = Path(folder)
        ways = recordings / "both_ways"
        code = run_tests(
            recordings, options.tests, {both_ways.FOLDER: str(ways)} if options.both_ways else {}
        )
        faults += prove(theirs, recordings, write=options.write)
        faults += compare_ways(ways) if options.both_ways else []
    for fault in faults:
        print(f"conformance: {fault}", file=sys.stderr)
    print(f"conformance: {len(faults)} faults, the tests ended with {code}")
    return 1 if faults else code


def compare(theirs: JsonObject) -> list[str]:
    """Return the differences between the documents that are not listed, and list entries without a difference."""
    verdict = judge(differences(theirs, own_document()), read(FOLDER / "differences.yaml"))
    return [f"not in differences.yaml: {text}" for text in verdict.unlisted] + [
        f"differences.yaml: there is no such difference any more: {text}" for text in verdict.stale
    ]


def run_tests(recordings: Path, tests: list[str], more: dict[str, str]) -> int:
    """Run the contract tests, two modules at a time, with the official document as a second judge."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *tests]
    environment = {**os.environ, RECORDING: str(recordings), **more}
    return subprocess.run(command, env=environment, cwd=official.ROOT, check=False).returncode


def prove(theirs: JsonObject, recordings: Path, *, write: bool) -> list[str]:
    """Return what has neither a test nor a reason, needless reasons and excuses, and whether the page is old."""
    contents = [json.loads(path.read_text()) for path in sorted(recordings.glob("*.json"))]
    if not contents:
        return ["the tests left no recording"]
    seen = (tuple(one) for content in contents for one in content["seen"])
    before = PAGE.read_text() if PAGE.exists() else ""
    made = matrix.fill(theirs, seen, read(FOLDER / "reasons.yaml"), before)
    page = matrix.render(theirs, own_document(), made, read(FOLDER / "differences.yaml"))
    if write:
        PAGE.write_text(page)
    return [
        *[f"neither test nor reason: {' '.join(cell)}" for cell in made.open],
        *[f"reasons.yaml: nothing needs this any more: {what}" for what in made.stale],
        *[
            f"marked lenient, but keeps to the documents: {name}"
            for content in contents
            for name in content["unneeded"]
        ],
        *([] if write else _old(before, page)),
    ]


def compare_ways(folder: Path) -> list[str]:
    """Print how many answers of the hot way were compared with the stock way's; return why that proves too little."""
    text, faults = both_ways.judge(json.loads(path.read_text()) for path in folder.glob("*.json"))
    print(f"conformance: {text}")
    return faults


def _old(before: str, page: str) -> list[str]:
    if before == page:
        return []
    changes = difflib.unified_diff(
        before.splitlines(), page.splitlines(), "committed", "proved", n=0, lineterm=""
    )
    shown = "\n".join(list(changes)[:40])
    return [f"docs/conformance.md is not what was proved; `make conformance-page` writes it anew:\n{shown}"]


if __name__ == "__main__":
    sys.exit(main())
