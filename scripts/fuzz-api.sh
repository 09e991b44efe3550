#!/usr/bin/env bash
# Sends generated requests from the OpenAPI document, valid and invalid ones, to the real server. No
# response may be a 5xx or undocumented. The same seed gives the same requests; EXAMPLES=500 SEED=7
# PHASES=coverage,fuzzing,stateful is the long form. Streams and sockets have separate tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need curl curl

venv=$PWD/target/fuzz-api
venv "$venv" tests/api/requirements.txt
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
rushdesk=${RUSHDESK_BIN:-target/debug/rushdesk}

folder=$(mktemp -d)
cleanup() {
  [ -z "${SERVER_PID:-}" ] || { kill "$SERVER_PID" 2>/dev/null || true; wait "$SERVER_PID" 2>/dev/null || true; }
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

port=$(free_port)
url="http://127.0.0.1:$port"
export RUSHDESK__SERVER__LISTEN="127.0.0.1:$port" RUSHDESK__SERVER__DATA_DIR="$folder/data"
export RUSHDESK__EMBEDDING__MODEL_DIR="$folder/none" RUSHDESK__INFERENCE__DISCOVER_OLLAMA=false
export RUSHDESK__LIMITS__VISITOR_SESSIONS_PER_HOUR=1000000 RUSHDESK__LIMITS__VISITOR_READS_PER_MINUTE=1000000
export RUSHDESK__LIMITS__VISITOR_MESSAGES_PER_HOUR=1000000 RUSHDESK__LIMITS__VISITOR_BURST=100000
export RUSHDESK__LIMITS__SITE_LOGINS_PER_SECOND=1000
"$rushdesk" serve >"$folder/log" 2>&1 &
SERVER_PID=$!
for _ in $(seq 300); do
  curl -sf "$url/readyz" >/dev/null && break
  kill -0 "$SERVER_PID" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.2
done

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
post() { curl -sf "$url$1" -H 'content-type: application/json' "${@:3}" -d "$2"; }
password='correct horse battery'
echo "$password" | "$rushdesk" admin create --site demo --email admin@shop.example >/dev/null 2>&1
login="{\"site_key\":\"pk_demo\",\"email\":\"admin@shop.example\",\"password\":\"$password\"}"
admin=$(post /v1/auth/login "$login" | field access_token)
key=$(post /v1/admin/keys '{"name":"fuzz"}' -H "authorization: Bearer $admin" | field key)

seed=${SEED:-20260101}
echo "seed $seed"
# Schemathesis writes a cache of failures into the current folder.
cd "$folder"
for token in "$key" "$admin"; do
  "$venv/bin/schemathesis" run "$url/openapi.json" --no-color -H "Authorization: Bearer $token" \
    --exclude-path-regex '/(socket|events)$' --request-timeout 20 \
    --phases "${PHASES:-coverage,fuzzing}" -n "${EXAMPLES:-10}" --seed "$seed" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth \
    >"$folder/report" 2>&1 || { cat "$folder/report"; tail -n 40 "$folder/log"; exit 1; }
  tail -n 12 "$folder/report"
done
# No internal error was logged, and the server still runs.
if grep -E 'ERROR.*rushdesk|panicked' "$folder/log"; then exit 1; fi
curl -sf "$url/readyz" >/dev/null
