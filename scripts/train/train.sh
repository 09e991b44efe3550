#!/usr/bin/env bash
# Fits the heads on DATA and writes src/triage/head.json and src/guard/injection/head.json.
#
# train.sh DATA
set -euo pipefail
cd "$(dirname "$0")/../.."
data="${1:?usage: train.sh DATA}"
dir="${DATA_DIR:-data}"
source scripts/venv.sh

scripts/model/setup.sh
venv "$dir/train/.venv" scripts/train/requirements.txt --no-deps
for head in train.py injection.py; do
  OMP_NUM_THREADS=1 "$dir/train/.venv/bin/python" "scripts/train/$head" "$data" \
    --model "$dir/model/all-MiniLM-L6-v2" --cache "$dir/train"
done
