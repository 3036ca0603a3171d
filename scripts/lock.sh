#!/usr/bin/env sh
# Rewrites the two lock files from pyproject.toml (maintainers only; needs `uv`).
# requirements.lock is what `make demo` and `make test` install; requirements-ci.lock holds the same versions and what
# only continuous integration needs. Both are universal (CPython 3.11 to 3.13), hashed, wheels only, and name no index.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --output-file "$out" "$@" \
        --extra dev --extra postgres pyproject.toml scripts/build-requirements.in
}
lock requirements.lock
lock requirements-ci.lock --constraint requirements.lock --extra ci --extra cluster
