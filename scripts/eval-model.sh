#!/usr/bin/env bash
# Asks a service with a real small model, and without one, the questions of tests/data, and prints what the answers are.
#
# eval-model.sh [0.5b|1.5b] [flags of eval_model.py]
# eval-model.sh [0.5b|1.5b] errands [flags of eval_errands.py]    200 messages about orders; goes on where it was stopped
#
# Runs the demo shop too. BIN=target/debug takes other programs than the release build. The first run fetches the model:
# 0.5 or 1.1 GB. On two cores an answer of the larger one takes about ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
size=${1:-1.5b}
shift $(($# < 1 ? $# : 1))
form=questions
if [ "${1:-}" = errands ]; then
  form=errands
  shift
fi

workplace
scripts/model/setup.sh
if [ -z "${BIN:-}" ]; then
  BIN=target/release
  cargo build --release --locked --quiet
fi

backend=$(free_port)
. scripts/models/qwen.sh
qwen_start "$size" "$backend"
shop=$(free_port)
# It sees what the shop is asked.
recorder=$(free_port)
asked=$shop
if [ "$form" = errands ]; then asked=$recorder; fi
"$BIN/rushdesk-load" demo-shop --listen "127.0.0.1:$shop" >"$folder/shop.log" 2>&1 &
pids+=($!)

play() {
  local name=$1 backends=$2 port
  port=$(free_port)
  "$BIN/rushdesk" serve --set "server.listen=127.0.0.1:$port" --set "server.data_dir=$folder/$name" \
    --set "embedding.model_dir=$PWD/data/model/all-MiniLM-L6-v2" --set "embedding.library=$PWD/data/model/libonnxruntime.so" \
    --set "tools.demo_shop_url=http://127.0.0.1:$asked" --set cache.enabled=false \
    --set inference.discover_ollama=false --set "inference.backends=[$backends]" \
    --set turn.timeout_ms=150000 --set inference.first_token_timeout_ms=120000 --set inference.token_gap_timeout_ms=60000 \
    --set inference.total_timeout_ms=140000 --set inference.hedge_budget=0 --set turn.gather_ms=0 --set limits.site_messages_per_second=1000 \
    --set limits.account_guesses=100000 --set limits.site_visitors_per_second=1000 --set limits.site_free_visitors_per_second=1000 \
    2>"$folder/$name.log" &
  pids+=($!)
  for _ in $(seq 1200); do
    curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
    kill -0 "${pids[-1]}" 2>/dev/null || { cat "$folder/$name.log" >&2; exit 1; }
    sleep 0.1
  done
  case $form in
    questions) python3 scripts/eval_model.py --url "http://127.0.0.1:$port" --name "$name" "${@:3}" ;;
    errands)
      python3 scripts/eval_errands.py --url "http://127.0.0.1:$port" --name "$name" --shop "http://127.0.0.1:$shop" \
        --recorder "$recorder" --results "${DATA_DIR:-data}/eval-errands/$name.jsonl" "${@:3}"
      ;;
  esac
  kill "${pids[-1]}"
  wait "${pids[-1]}" || true
}

play none "" "$@"
play "qwen-$size" "{name=\"qwen\",kind=\"openai\",url=\"http://127.0.0.1:$backend\",model=\"qwen-$size\",slots=2}" "$@"
