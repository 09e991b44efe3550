#!/usr/bin/env bash
# Builds the service and the demo shop, and runs both until the service ends: run.sh
# DATA_DIR=, DEMO_SHOP= (an address, or `off`) and CARGO= change the defaults.
set -euo pipefail
cd "$(dirname "$0")/.."
address=${DEMO_SHOP:-127.0.0.1:8090}
bin=${BIN_DIR:-target/release}
"${CARGO:-cargo}" build --release --locked --package rushdesk --package rushdesk-load

# The service asks nobody about orders if there is no demo shop.
shop='' url=''
if [ "$address" != off ]; then
  "$bin/rushdesk-load" demo-shop --listen "$address" &
  shop=$!
  # It ends at once if it cannot listen.
  sleep 0.5
  if kill -0 "$shop" 2>/dev/null; then
    url=http://$address
  else
    shop=''
    echo "run.sh: the demo shop did not start, so the chat knows no orders. Free the port of $address," >&2
    echo "run.sh: or choose another one: DEMO_SHOP=127.0.0.1:8091 make run" >&2
  fi
fi

export RUSHDESK__SERVER__DATA_DIR=${DATA_DIR:-data} RUSHDESK__TOOLS__DEMO_SHOP_URL=$url
"$bin/rushdesk" serve &
service=$!
trap 'kill -TERM "$service" 2>/dev/null || true' INT TERM
# A signal ends the wait before the service has ended.
status=0
wait "$service" || status=$?
while kill -0 "$service" 2>/dev/null; do
  status=0
  wait "$service" || status=$?
done
[ -z "$shop" ] || kill "$shop" 2>/dev/null || true
exit "$status"
