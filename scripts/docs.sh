#!/usr/bin/env bash
# Checks the documentation: examples run with a real server, links have targets, names exist, the
# list of keys is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need curl curl
need node nodejs
need sqlite3 sqlite3
need chromium chromium

venv tests/clients/.venv tests/clients/requirements.txt
scripts/configuration.py --check
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
export RUSHDESK_BIN="${RUSHDESK_BIN:-target/debug/rushdesk}"
export RUSHDESK_TEST_MODEL_DIR="$PWD/data/model/all-MiniLM-L6-v2"
exec tests/clients/.venv/bin/python -m pytest -q tests/docs "$@"
