#!/usr/bin/env bash
# Fits the head of triage on DATA and writes src/triage/head.json.
#
# train.sh DATA [flags of train.py]
set -euo pipefail
cd "$(dirname "$0")/../.."
data="${1:?usage: train.sh DATA}"
shift
dir="${DATA_DIR:-data}"
source scripts/venv.sh

scripts/model/setup.sh
venv "$dir/train/.venv" scripts/train/requirements.txt --no-deps
OMP_NUM_THREADS=1 "$dir/train/.venv/bin/python" scripts/train/train.py "$data" \
  --model "$dir/model/all-MiniLM-L6-v2" --cache "$dir/train" "$@"
