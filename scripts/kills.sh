#!/usr/bin/env bash
# kills.sh KIND [OPTION...]: kills the service and what it needs while others work with it, and compares what was done with
# what they were told. KIND is `actions` (shoppers confirm changes: nothing twice, nothing unconfirmed, nothing lost) or
# `handoffs` (people take conversations over: no word of the assistant afterwards). 1,000 of them take half an hour or so.
# Options go to `rushdesk-load chaos-KIND`, such as `--writes 40 --seed 1`.
# BIN=target/debug takes other programs than the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?actions or handoffs}
shift
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
TMPDIR=$folder "$BIN/rushdesk-load" "chaos-$kind" --server-bin "$BIN/rushdesk" "$@"
