#!/usr/bin/env bash
# Runs a benchmark together with its baselines: bench.sh turns|hits|streams|sessions|peers|surge
# [flags of `rushdesk-load`]
# The server runs on core 0, load and backend on core 1. The defaults take minutes. `--help` lists
# the flags.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?turns, hits, streams, sessions, peers or surge}
shift
scripts/model/setup.sh
cargo build --release --locked --quiet --workspace
# Thousands of streams need twice as many open files.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
bin=target/release
case $what in
  surge) exec "$bin/rushdesk-load" surge --server-bin "$bin/rushdesk" "$@" ;;
  *) exec "$bin/rushdesk-load" bench "$what" --server-bin "$bin/rushdesk" "$@" ;;
esac
