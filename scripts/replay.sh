#!/usr/bin/env bash
# Drives a service of its own with conversations: replay.sh FILE [embedded|distributed] [flags of `replay`]
# embedded: SQLite in one process, answers from the demo knowledge.
# distributed: private MariaDB and Redis, and two simulated backends (one vLLM, one Ollama).
set -euo pipefail
data=$(realpath "$1")
mode=${2:-embedded}
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.."
. scripts/services.sh

workplace

scripts/model/setup.sh
cargo build --release --locked --quiet --workspace
bin=target/release
port=$(free_port)
settings=(
  --set "server.listen=127.0.0.1:$port" --set "server.data_dir=$folder/data"
  --set "embedding.library=$PWD/data/model/libonnxruntime.so" --set inference.discover_ollama=false
  # A load test is one shop with many shoppers, not one shopper with many messages.
  --set limits.site_visitors_per_second=10000 --set limits.site_free_visitors_per_second=10000 --set limits.site_sessions_per_second=10000 --set limits.site_messages_per_second=10000
)
if [ "$mode" = distributed ]; then
  services_start "$folder"
  backends=""
  for kind in vllm ollama; do
    backend=$(free_port)
    "$bin/rushdesk-load" sim-llm --kind "$kind" --listen "127.0.0.1:$backend" --ttft-ms 50 --token-ms 5 \
      --slots 64 >"$folder/$kind.log" 2>&1 &
    pids+=($!)
    backends+="{name=\"$kind\",kind=\"$kind\",url=\"http://127.0.0.1:$backend\",model=\"sim\",slots=32},"
  done
  settings+=(
    --set store.mode=distributed --set "store.mysql_url=$RUSHDESK_TEST_MYSQL_URL"
    --set "store.redis_url=$RUSHDESK_TEST_REDIS_URL" --set "inference.backends=[$backends]"
    --set "auth.jwt_secret=$(python3 -c 'import secrets; print(secrets.token_hex(32))')"
    --set 'sites=[{id="demo",name="Demo",site_key="pk_demo"}]'
  )
fi
"$bin/rushdesk" serve "${settings[@]}" 2>"$folder/server.log" &
server=$!
pids+=("$server")
for _ in $(seq 200); do
  curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
  sleep 0.1
done

outcome=0
"$bin/rushdesk-load" replay --url "http://127.0.0.1:$port" --data "$data" "$@" || outcome=$?

# What the archive holds once the service has stopped.
kill "$server"
wait "$server" || { tail -n 20 "$folder/server.log" >&2; outcome=1; }
grep -E ' (WARN|ERROR) ' "$folder/server.log" | tail -n 5 >&2 || true
count='SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM messages), (SELECT COUNT(*) FROM events)'
printf '\nIn the archive at the end (sessions, messages, events): '
if [ "$mode" = distributed ]; then
  mariadb --no-defaults --socket="$folder/mysql.sock" -u root -N test -e "$count"
else
  python3 - "$folder/data/rushdesk.sqlite" "$count" <<'PY'
import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone(), sep="\t")
PY
fi
exit "$outcome"
