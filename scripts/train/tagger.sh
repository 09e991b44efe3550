#!/usr/bin/env bash
# Makes the word lists of the tagger of names and addresses, fits it on DATA and writes both into
# src/guard/pii/tagger.
#
# tagger.sh DATA [flags of tagger.py]
set -euo pipefail
cd "$(dirname "$0")/../.."
data="${1:?usage: tagger.sh DATA}"
shift
dir="${DATA_DIR:-data}" out=src/guard/pii/tagger
source scripts/venv.sh

venv "$dir/train/.venv" scripts/train/requirements.txt --no-deps
"$dir/train/.venv/bin/python" scripts/train/lists.py --out "$out/lists.txt"
# Faker draws from sets.
PYTHONHASHSEED=0 OMP_NUM_THREADS=1 "$dir/train/.venv/bin/python" scripts/train/tagger.py "$data" --lists "$out/lists.txt" --out "$out" "$@"
