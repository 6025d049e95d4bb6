#!/bin/sh
# install.sh FOLDER PIP-ARGUMENTS…: make the virtual environment FOLDER with Python 3.11 or later if it is not there
# yet, and install into it. What Debian does not bring along is installed as root, else the command is named.
set -eu
folder=$1
shift

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" > /dev/null && new_enough "$name"; then
            echo "$name"
            return
        fi
    done
}

require_packages() {
    if ! command -v apt-get > /dev/null; then
        echo "This needs Python 3.11 or later with its venv module; install it with your package manager." >&2
        exit 1
    elif [ "$(id -u)" -ne 0 ]; then
        echo "A system package is missing. Install it with: sudo apt-get install $*" >&2
        exit 1
    fi
    echo "Installing $* ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

if ! { [ -x "$folder/bin/python" ] && new_enough "$folder/bin/python" && "$folder/bin/python" -m pip --version > /dev/null 2>&1; }; then
    python=$(find_python)
    if [ -z "$python" ]; then
        require_packages python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || { echo "The python3 of this system is older than 3.11." >&2; exit 1; }
    fi
    if ! "$python" -c 'import ensurepip, venv; ensurepip.version()' 2> /dev/null; then
        require_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    echo "Making $folder with $("$python" --version) ..."
    "$python" -m venv --clear "$folder"
fi

echo "Installing Python packages ..."
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
