#!/usr/bin/env bash
# Checks dashboards, rules and docs/metrics.md with a real Prometheus that scraped a real run under
# load.
# monitoring.sh            checks everything
# monitoring.sh --pictures FOLDER   also draws the sale-day dashboard from the same data
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need promtool prometheus

promtool check rules grafana/alerts/recording.yml grafana/alerts/alerts.yml
promtool test rules grafana/alerts/tests.yml
python3 grafana/make.py --check

python=python3
if [ "${1:-}" = --pictures ]; then
  venv=target/monitoring-venv
  venv "$venv" tests/monitoring/requirements.txt
  python="$venv/bin/python"
fi
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
workplace
services_start "$folder"
export RUSHDESK_BIN="${RUSHDESK_BIN:-target/debug/rushdesk}"
export RUSHDESK_LOAD_BIN="${RUSHDESK_LOAD_BIN:-$(dirname "$RUSHDESK_BIN")/rushdesk-load}"
export RUSHDESK_TEST_MODEL_DIR="${RUSHDESK_TEST_MODEL_DIR:-$PWD/data/model}"
"$python" tests/monitoring/check.py "$folder" "$@"
