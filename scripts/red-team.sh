#!/usr/bin/env bash
# Plays tests/data/red_team.jsonl, and DATA/injection_eval if it is there, against services of its own:
# without a model, with a model server that obeys every attack, and with the one at BACKEND.
#
# red-team.sh [BACKEND] [flags of red_team.py]
# BACKEND: the address of an OpenAI-compatible server; MODEL names its model. BIN=target/debug takes
# another program than the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
backend=${1:-}
shift $(($# < 1 ? $# : 1))

workplace

scripts/model/setup.sh
if [ -z "${BIN:-}" ]; then
  BIN=target/release
  cargo build --release --locked --quiet
fi

obeys=$(free_port)
python3 scripts/red_team.py obey --port "$obeys" &
pids+=($!)

play() {
  local name=$1 backends=$2 port server
  port=$(free_port)
  "$BIN/rushdesk" serve --set "server.listen=127.0.0.1:$port" --set "server.data_dir=$folder/$name" \
    --set "embedding.model_dir=$PWD/data/model/all-MiniLM-L6-v2" --set "embedding.library=$PWD/data/model/libonnxruntime.so" \
    --set inference.discover_ollama=false --set "inference.backends=[$backends]" \
    --set limits.site_visitors_per_second=10000 --set limits.site_free_visitors_per_second=10000 \
    --set limits.site_sessions_per_second=10000 --set limits.site_messages_per_second=10000 \
    2>"$folder/$name.log" &
  server=$!
  pids+=("$server")
  for _ in $(seq 300); do
    curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
    kill -0 "$server" 2>/dev/null || { cat "$folder/$name.log" >&2; exit 1; }
    sleep 0.1
  done
  python3 scripts/red_team.py play --url "http://127.0.0.1:$port" --name "$name" "${@:3}"
  kill "$server"
  wait "$server" || true
}

one() { echo "{name=\"$1\",kind=\"openai\",url=\"$2\",model=\"$3\",slots=2}"; }

play "no model" "" "$@"
play "obeys all" "$(one obeys "http://127.0.0.1:$obeys" obeys)" "$@"
if [ -n "$backend" ]; then
  play "real model" "$(one real "$backend" "${MODEL:-default}")" "$@"
fi
