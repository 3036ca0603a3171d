#!/usr/bin/env sh
# Rewrites requirements.lock from pyproject.toml (maintainers only; needs `uv`).
# The lock is universal (CPython 3.11 to 3.13), hashed, wheels only, and names no package index.
set -eu
cd "$(dirname "$0")/.."
uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
    --no-emit-index-url --no-header --no-annotate \
    --extra dev --extra postgres pyproject.toml scripts/build-requirements.in -o requirements.lock
