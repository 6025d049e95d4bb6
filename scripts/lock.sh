#!/usr/bin/env bash
# Resolve the lower bounds of setup.cfg anew and write the lock files: requirements.txt (service and embedded
# database), requirements-test.txt (those, and all that tests, checks and the demo need).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

freeze() { # FILE EXTRAS [CONSTRAINTS]
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet ${3:+--constraint "$3"} ".[$2]"
    {
        echo "# Written by scripts/lock.sh; the bounds are in setup.cfg."
        "$folder/$1/bin/pip" freeze --exclude bingsan
    } > "$folder/$1.txt"
}

freeze requirements-test embedded,dev,test,demo
freeze requirements embedded "$folder/requirements-test.txt"
mv "$folder/requirements.txt" "$folder/requirements-test.txt" .
