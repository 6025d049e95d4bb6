#!/bin/sh
# sbom.sh FILE: write the software bill of materials (CycloneDX, JSON) of what the service runs on: the packages of
# requirements.txt in exactly those versions. Checked against the schema of CycloneDX and against the lock file.
set -eu
cd "$(dirname "$0")/.."
output=$1
generator=cyclonedx-bom==7.5.0
tools=${BINGSAN_CACHE:-$HOME/.cache/bingsan}/tools/$generator
if [ ! -e "$tools/done" ]; then
    sh scripts/install.sh "$tools" --only-binary=:all: "$generator"
    touch "$tools/done"
fi
project=$(mktemp)
trap 'rm -f "$project"' EXIT
version=$(sed -n 's/^version = //p' setup.cfg)
printf '[project]\nname = "bingsan"\nversion = "%s"\nlicense = "Apache-2.0"\n' "$version" > "$project"
mkdir -p "$(dirname "$output")"
# Which package needs which is not in a lock file; the generator warns of that.
"$tools/bin/python" -W ignore::UserWarning -m cyclonedx_py requirements --pyproject "$project" --output-reproducible --validate \
    --index-url https://pypi.org/simple --output-file "$output" requirements.txt
"$tools/bin/python" - "$output" <<'CHECK'
import json
import sys
from pathlib import Path

made = json.loads(Path(sys.argv[1]).read_text())
listed = {f"{part['name']}=={part['version']}" for part in made["components"]}
locked = {line for line in Path("requirements.txt").read_text().splitlines() if line and not line.startswith("#")}
if listed != locked:
    sys.exit(f"{sys.argv[1]} differs from requirements.txt: {sorted(listed ^ locked)}")
print(f"{sys.argv[1]}: {len(listed)} components, CycloneDX {made['specVersion']}")
CHECK
