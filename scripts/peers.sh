#!/usr/bin/env bash
# Compares LiteLLM's proxy, nginx and Rushdesk with the same requests, each alone on one core:
# peers.sh [flags of `bench peers`]
# Installs nginx from Debian, and LiteLLM from pinned and hashed wheels into target/peers. Nothing
# is downloaded during the run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need nginx nginx-light

venv=target/peers
venv "$venv" load/peers/requirements.txt
# LiteLLM handles ten streams on one core without a queue of its own.
exec scripts/bench.sh peers --streams 10 "$@"
