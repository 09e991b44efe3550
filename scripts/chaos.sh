#!/usr/bin/env bash
# Breaks servers, backends and stores under load and looks for everything that was acknowledged.
# Short form: each fault once, some minutes. CHAOS_ROUNDS=100 is the long form, with 30 s of frozen stores and 60 s of a
# paused replica.
# `--append FILE` keeps one line for each round, and an interrupted run goes on where it stopped:
#   CHAOS_ROUNDS=100 scripts/chaos.sh --append chaos.jsonl; target/release/rushdesk-load chaos --summary chaos.jsonl
# Further arguments go to `rushdesk-load chaos`. BIN=target/debug takes other programs than the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need mariadbd mariadb-server
need redis-server redis-server

folder=$(mktemp -d)
cleanup() {
  # What a killed run leaves mounted.
  awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | xargs -r umount -l
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ -z "${BIN:-}" ]; then
  BIN=target/release
  scripts/model/setup.sh
  cargo build --release --locked --quiet --workspace
fi
rounds=${CHAOS_ROUNDS:-0}
lengths=(--freeze-s 5 --pause-s 15)
[ "$rounds" -eq 0 ] || lengths=(--freeze-s 30 --pause-s 60)
commit=$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || echo unknown)
TMPDIR=$folder "$BIN/rushdesk-load" chaos --server-bin "$BIN/rushdesk" --commit "$commit" --rounds "$rounds" "${lengths[@]}" "$@"
