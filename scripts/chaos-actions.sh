#!/usr/bin/env bash
# Kills the service, the shop and the stores while shoppers confirm changes, and compares what the shop did with what the
# shoppers were told: nothing twice, nothing unconfirmed, nothing lost. 1,000 changes in each mode, half an hour or so.
# Further arguments go to `rushdesk-load chaos-actions`, such as `--writes 40 --seed 1` for the short form.
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
TMPDIR=$folder "$BIN/rushdesk-load" chaos-actions --server-bin "$BIN/rushdesk" "$@"
