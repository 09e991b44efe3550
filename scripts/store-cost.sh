#!/usr/bin/env bash
# Measures the cost of a turn for Redis and MySQL, and the time of an append: plays the sample's conversations on private
# stores, and compares counters before and after. BIN=target/debug uses other programs than the
# release build. docs/capacity.md has these figures.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh

workplace

if [ -z "${BIN:-}" ]; then
  BIN=target/release
  scripts/model/setup.sh
  cargo build --release --locked --quiet --workspace
fi
services_start "$folder"
port=$(free_port)
backend=$(free_port)
"$BIN/rushdesk-load" sim-llm --listen "127.0.0.1:$backend" --ttft-ms 50 --token-ms 5 >/dev/null &
pids+=($!)
"$BIN/rushdesk" serve --set "server.listen=127.0.0.1:$port" --set "server.data_dir=$folder/data" \
  --set "embedding.library=$PWD/data/model/libonnxruntime.so" \
  --set "embedding.model_dir=$PWD/data/model/all-MiniLM-L6-v2" --set inference.discover_ollama=false \
  --set limits.site_visitors_per_second=10000 --set limits.site_free_visitors_per_second=10000 --set limits.site_sessions_per_second=10000 --set limits.site_messages_per_second=10000 \
  --set store.mode=distributed --set "store.mysql_url=$RUSHDESK_TEST_MYSQL_URL" \
  --set "store.redis_url=$RUSHDESK_TEST_REDIS_URL" \
  --set "inference.backends=[{name=\"sim\",kind=\"vllm\",url=\"http://127.0.0.1:$backend\",model=\"sim\",slots=32}]" \
  --set "auth.jwt_secret=$(python3 -c 'import secrets; print(secrets.token_hex(32))')" \
  --set 'sites=[{id="demo",name="Demo",site_key="pk_demo"}]' 2>"$folder/server.log" &
pids+=($!)
for _ in $(seq 300); do
  curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
  kill -0 "${pids[1]}" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
  sleep 0.2
done

# Commands, bytes in memory and CPU-seconds of Redis; bytes of data, bytes of log, statements and CPU-seconds of MySQL.
counters() {
  redis-cli -p "$REDIS_PORT" info all | tr -d '\r' | awk -F: '
    $1 == "total_commands_processed" { commands = $2 } $1 == "used_memory" { memory = $2 }
    $1 == "used_cpu_user" || $1 == "used_cpu_sys" { cpu += $2 } END { printf "%d %d %f ", commands, memory, cpu }'
  mariadb --no-defaults --socket="$folder/mysql.sock" -u root -N -e "
    SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = 'test';
    SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written';
    SHOW GLOBAL STATUS LIKE 'Questions'" | awk '{ printf "%s ", $NF }'
  awk '{ print ($14 + $15) / 100 }' "/proc/$MYSQL_PID/stat"
}
settle=15
sleep 5
idle=$(counters)
sleep "$settle"
before=$(counters)
begun=$(date +%s)
turns=$("$BIN/rushdesk-load" replay --url "http://127.0.0.1:$port" --data load/data/sample_100.jsonl | awk '$1 == "turns" { print $2 }')
sleep 10
after=$(counters)
took=$(($(date +%s) - begun))
# The idle activity of the stores in that time is subtracted.
python3 - "$turns" "$took" "$settle" "$idle" "$before" "$after" <<'PY'
import sys

turns, took, settle = (float(value) for value in sys.argv[1:4])
idle, before, after = ([float(value) for value in row.split()] for row in sys.argv[4:7])
cost = [((b - a) - (a - i) * took / settle) / turns for i, a, b in zip(idle, before, after)]
print(f"{turns:.0f} turns, logins, resumes and the reading of each history included; of each turn:")
print(f"Redis  {cost[0]:.0f} commands, {cost[1] / 1024:.1f} KiB of memory, {cost[2] * 1000:.2f} ms of CPU")
print(f"MySQL  {cost[3] / 1024:.1f} KiB of data, {cost[4] / 1024:.1f} KiB of log, {cost[5]:.0f} statements, {cost[6] * 1000:.2f} ms of CPU")
PY
# The upper bound of the bucket that holds the quantile.
curl -fsS "http://127.0.0.1:$port/metrics" | awk '
  /^rushdesk_journal_append_seconds_bucket/ { match($1, /le="[^"]*"/); le[++n] = substr($1, RSTART + 4, RLENGTH - 5); count[n] = $2 }
  END {
    for (i = 1; i <= n; i++) {
      if (!p50 && count[i] >= count[n] * 0.50) p50 = le[i]
      if (!p99 && count[i] >= count[n] * 0.99) p99 = le[i]
    }
    printf "append p50 below %s s, p99 below %s s (%d appends)\n", p50, p99, count[n]
  }'
