#!/usr/bin/env bash
# Real clients against the real binary: the OpenAI SDK, curl, SSE, WebSocket, and the chat page in headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=tests/clients/.venv
requirements=tests/clients/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  cp "$requirements" "$venv/requirements.txt"
fi
cargo build --workspace --locked --quiet
export RUSHDESK_BIN="${RUSHDESK_BIN:-target/debug/rushdesk}"
export RUSHDESK_TEST_MODEL_DIR="$PWD/data/model/all-MiniLM-L6-v2"
export RUSHDESK_TEST_ARTIFACTS="${RUSHDESK_TEST_ARTIFACTS:-target/pictures}"
exec "$venv/bin/python" -m pytest -q tests/clients
