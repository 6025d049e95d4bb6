#!/bin/sh
# Download the official Iceberg REST document that this project is proved against: fetch_spec.sh [FILE], by default
# into the cache, where `make conformance` looks for it.
# It is named by the hash of its content, and checked once more.
set -eu
file=${1:-${BINGSAN_CACHE:-$HOME/.cache/bingsan}/spec/rest-catalog-open-api.yaml}
blob=e9a530a12804b8e57bf45dc924d2dab2c829a0a7
sha256=9a160d49002a14e559ab4dcb5be9953b8880ca1544cf9773f05b1a720c3b35b7

mkdir -p "$(dirname "$file")"
curl --fail --silent --show-error --location --connect-timeout 20 --retry 2 \
    --header 'Accept: application/vnd.github.raw+json' \
    --output "$file.part" "https://api.github.com/repos/apache/iceberg/git/blobs/$blob"
echo "$sha256  $file.part" | sha256sum --check --quiet
mv "$file.part" "$file"
