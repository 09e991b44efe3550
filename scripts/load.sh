#!/usr/bin/env bash
# Runs every Goose and Locust scenario once, briefly, with a debug server and a simulated backend.
# Reports must exist, requests must succeed, first tokens must be measured, and a threshold that
# cannot hold must fail the run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need curl curl

venv=target/locust
venv "$venv" load/locust/requirements.txt
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
cargo build -p rushdesk-load --features goose --bin rushdesk-goose --locked --quiet
rushdesk=${RUSHDESK_BIN:-target/debug/rushdesk}
rushdesk_load=${RUSHDESK_LOAD_BIN:-$(dirname "$rushdesk")/rushdesk-load}

folder=$(mktemp -d)
pids=()
jobs_running=()
cleanup() {
  kill "${pids[@]}" "${jobs_running[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

port=$(free_port)
backend=$(free_port)
"$rushdesk_load" sim-llm --listen "127.0.0.1:$backend" --ttft-ms 20 --token-ms 5 --tokens 20 >/dev/null &
pids+=($!)
"$rushdesk" serve --set "server.listen=127.0.0.1:$port" --set "server.data_dir=$folder/data" \
  --set "embedding.library=$PWD/data/model/libonnxruntime.so" \
  --set "embedding.model_dir=$PWD/data/model/all-MiniLM-L6-v2" --set inference.discover_ollama=false \
  --set limits.site_visitors_per_second=10000 --set limits.site_free_visitors_per_second=10000 --set limits.site_sessions_per_second=10000 \
  --set limits.site_logins_per_second=10000 --set limits.site_refreshes_per_second=10000 \
  --set "inference.backends=[{name=\"sim\",kind=\"vllm\",url=\"http://127.0.0.1:$backend\",model=\"sim\",slots=64}]" \
  2>"$folder/server.log" &
pids+=($!)
host=http://127.0.0.1:$port
for _ in $(seq 300); do
  curl -fsS "$host/readyz" >/dev/null 2>&1 && break
  kill -0 "${pids[1]}" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
  sleep 0.2
done

# run CODE NAME COMMAND...: runs in the background and must exit with CODE. Stopping it also stops
# the command.
run() {
  local code=$1 name=$2
  shift 2
  (
    got=0
    trap 'kill $(jobs -p) 2>/dev/null; wait; exit 143' TERM
    timeout -k 5 300 "$@" >"$folder/$name.log" 2>&1 &
    wait $! || got=$?
    [ "$got" -eq "$code" ] || { tail -n 60 "$folder/$name.log" >&2; echo "$name ended with $got, not $code" >&2; exit 1; }
  ) &
  jobs_running+=($!)
}
finish() {
  local job outcome=0
  for job in "${jobs_running[@]}"; do wait "$job" || outcome=1; done
  jobs_running=()
  return "$outcome"
}
# seen FILE PATTERN...: the report must contain each pattern.
seen() {
  local file=$1 pattern
  shift
  for pattern in "$@"; do
    grep -Eq -- "$pattern" "$file" || { tail -n 40 "$file" >&2; echo "$file does not name: $pattern" >&2; return 1; }
  done
}

# One visit per user. The checks require samples without errors, but not speed, because the machine
# may be busy.
goose() {
  local scenario=$1 metric=$2
  run 0 "goose-$scenario" target/debug/rushdesk-goose "$scenario" --host "$host" --users 4 --increase-rate 8 \
    --iterations 1 --report-file "$folder/goose-$scenario.html" \
    --threshold 'error-rate<0.1%' --threshold "p99<60s for $metric"
}
goose steady 'SSE first token'
goose burst 'SSE first token'
goose long 'SSE first token'
goose hot 'SSE first token'
goose reconnect 'SSE resumed'
goose slow 'SSE first token'
goose login 'POST login'
goose mixed 'WS first token'
run 1 goose-fails target/debug/rushdesk-goose hot --host "$host" --users 1 --iterations 1 --threshold 'p50<1us for SSE first token'
finish
seen "$folder/goose-fails.log" 'first token' FAIL
for scenario in steady burst long hot slow; do
  seen "$folder/goose-$scenario.html" 'first token' 'answer'
done
seen "$folder/goose-reconnect.html" resumed
seen "$folder/goose-login.html" login refresh
seen "$folder/goose-mixed.html" 'WS' 'JSON' 'first token'
echo "goose: 8 scenarios, and a threshold that cannot hold"

# A stop lets running visits end, so each user has at least one.
locust() {
  local code=$1 name=$2 file=$3
  shift 3
  run "$code" "locust-$name" "$venv/bin/locust" -f "load/locust/$file.py" --host "$host" --headless --only-summary \
    --stop-timeout 120 --html "$folder/locust-$name.html" --most-errors 0 \
    --first-token-p99-ms 60000 --answer-p95-ms 60000 --resumed-p99-ms 60000 "$@"
}
for scenario in Steady Long Hot Reconnect Slow Login; do
  locust 0 "$scenario" locustfile "$scenario" -u 3 -r 3 -t 8s
done
locust 0 Mixed locustfile Streams Json Sockets -u 4 -r 4 -t 8s
locust 0 Burst burst --base 1 --peak 6 --calm-s 2 --hold-s 2
locust 1 fails locustfile Hot -u 1 -r 1 -t 4s --first-token-p99-ms 0
finish
seen "$folder/locust-fails.log" 'not held: SSE first token'
# The summary is printed, and the page written, at the end.
for scenario in Steady Long Hot Slow Burst; do
  seen "$folder/locust-$scenario.log" '^SSE +first token' '^SSE +answer' '^POST +message'
done
seen "$folder/locust-Reconnect.log" '^SSE +resumed' '^GET +events'
seen "$folder/locust-Login.log" '^POST +register' '^POST +refresh'
seen "$folder/locust-Mixed.log" '^SSE +first token' '^JSON +answer' '^WS +first token'
seen "$folder/locust-Steady.html" 'first token'

# One master and two workers. The master has the figures of both and the verdict.
master=$(free_port)
locust 0 master locustfile Hot --master --master-bind-host 127.0.0.1 --master-bind-port "$master" \
  --expect-workers 2 --expect-workers-max-wait 120 -u 4 -r 4 -t 6s
for worker in 1 2; do
  run 0 "locust-worker-$worker" "$venv/bin/locust" -f load/locust/locustfile.py Hot --worker \
    --master-host 127.0.0.1 --master-port "$master"
done
finish
seen "$folder/locust-master.log" '^SSE +first token' '^POST +message'
echo "locust: 8 scenarios, one master with two workers, and a threshold that cannot hold"
