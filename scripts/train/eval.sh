#!/usr/bin/env bash
# Measures triage on DATA/routing_eval, compared with a plain baseline.
#
# eval.sh DATA [flags of `rushdesk eval routing`]
set -euo pipefail
cd "$(dirname "$0")/../.."
data="${1:?usage: eval.sh DATA}"
shift
out="${DATA_DIR:-data}/train"
source scripts/venv.sh

scripts/model/setup.sh
venv "$out/.venv" scripts/train/requirements.txt --no-deps
"$out/.venv/bin/python" scripts/train/baseline.py "$data" --out "$out/routing.jsonl"
"${CARGO:-cargo}" run --quiet --locked -- eval routing "$out/routing.jsonl" \
  --phrases tests/data/triage/person.tsv "$@"
