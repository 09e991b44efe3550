#!/usr/bin/env bash
# People take 1,000 conversations over at random moments of a streaming answer, on two replicas that are killed meanwhile:
# no word of the assistant after the take-over, nothing lost, the same order for both sides. Further arguments go to
# `rushdesk-load chaos-handoffs`, such as `--takeovers 100 --seed 1` for a short form.
# BIN=target/debug takes other programs than the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need mariadbd mariadb-server
need redis-server redis-server

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

if [ -z "${BIN:-}" ]; then
  BIN=target/release
  cargo build --release --locked --quiet --workspace
fi
TMPDIR=$folder "$BIN/rushdesk-load" chaos-handoffs --server-bin "$BIN/rushdesk" "$@"
