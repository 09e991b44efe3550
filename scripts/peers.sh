#!/usr/bin/env bash
# LiteLLM's proxy and nginx beside Rushdesk with the same requests, each alone on one core: peers.sh [flags of `bench peers`]
# Installs nginx from Debian and LiteLLM from pinned and hashed wheels into target/peers; nothing is fetched while it runs.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need nginx nginx-light

venv=target/peers
requirements=load/peers/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  cp "$requirements" "$venv/requirements.txt"
fi
# Ten streams are what LiteLLM bears on one core without a queue of its own.
exec scripts/bench.sh peers --streams 10 "$@"
