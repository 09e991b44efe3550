#!/usr/bin/env bash
# Runs real clients with the real binary: the OpenAI SDK, curl, SSE, WebSocket, and the chat page in
# headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need curl curl
need chromium chromium

venv tests/clients/.venv tests/clients/requirements.txt
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
export RUSHDESK_BIN="${RUSHDESK_BIN:-target/debug/rushdesk}"
export RUSHDESK_TEST_MODEL_DIR="$PWD/data/model/all-MiniLM-L6-v2"
export RUSHDESK_TEST_ARTIFACTS="${RUSHDESK_TEST_ARTIFACTS:-target/pictures}"
exec tests/clients/.venv/bin/python -m pytest -q tests/clients
