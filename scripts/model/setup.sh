#!/usr/bin/env bash
# Creates the embedding model and the ONNX Runtime library in data/model, once; later runs work
# offline.
set -euo pipefail
cd "$(dirname "$0")/../.."
data="${DATA_DIR:-data}"
out="$data/model"
venv="$out/.venv"
requirements=scripts/model/requirements.txt

# The inputs of the model. If they have not changed, Python is not needed.
stamp=$(cat scripts/model/*.py "$requirements" | sha256sum)
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ] && [ -f "$out/libonnxruntime.so" ]; then
  exit 0
fi

[ -d "$data" ] || mkdir -p -m 700 "$data"
mkdir -p "$out"
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  python3 -m venv "$venv" 2>/dev/null || {
    echo "python3 with its venv module is needed (apt-get install python3 python3-venv)" >&2
    exit 1
  }
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
  cp "$requirements" "$venv/requirements.txt"
fi
"$venv/bin/python" scripts/model/make_model.py --out "$out"
printf '%s\n' "$stamp" >"$out/.stamp"
