#!/usr/bin/env sh
# Installs the peers of the benchmark at pinned versions, each in its own environment under var/bench.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p var/bench/express
python3 -m venv var/bench/healthchain
var/bench/healthchain/bin/python -m pip install --quiet --disable-pip-version-check \
    -r benchmarks/peers/requirements-healthchain.txt
cp benchmarks/peers/express/package.json benchmarks/peers/express/server.js var/bench/express/
cd var/bench/express
npm install --silent --no-audit --no-fund --no-package-lock
