#!/usr/bin/env bash
# Measures triage on DATA/routing_eval, or the guard on DATA/injection_eval, compared with a plain
# baseline.
#
# eval.sh routing|injection DATA [flags of `rushdesk eval`]
set -euo pipefail
cd "$(dirname "$0")/../.."
measure="${1:?usage: eval.sh routing|injection DATA}"
data="${2:?usage: eval.sh routing|injection DATA}"
shift 2
out="${DATA_DIR:-data}/train"
source scripts/venv.sh

scripts/model/setup.sh
venv "$out/.venv" scripts/train/requirements.txt --no-deps
case $measure in
  routing)
    "$out/.venv/bin/python" scripts/train/baseline.py "$data" --out "$out/routing.jsonl"
    set -- --phrases tests/data/triage/person.tsv "$@"
    ;;
  injection) "$out/.venv/bin/python" scripts/train/injection.py "$data" --rows "$out/injection.jsonl" ;;
  *) echo "eval.sh measures routing or injection, not $measure" >&2 && exit 1 ;;
esac
"${CARGO:-cargo}" run --quiet --locked -- eval "$measure" "$out/$measure.jsonl" "$@"
