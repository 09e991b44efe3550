#!/usr/bin/env bash
# Lets libFuzzer search for inputs that break a parser: fuzz.sh [TARGET...]; the default is every
# target of fuzz/. FUZZ_SECONDS is the time per target, without its build. Starts from tests/corpus
# and from the findings of earlier runs. Prints one line per target. For an input that breaks one,
# it prints the file and how to run it again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need c++ g++

CARGO_FUZZ=0.13.1
seconds=${FUZZ_SECONDS:-60}
work=target/fuzz
export PATH="$PWD/target/tools/bin:$PATH"
[ "$(cargo-fuzz --version 2>/dev/null)" = "cargo-fuzz $CARGO_FUZZ" ] ||
  cargo install cargo-fuzz --version "$CARGO_FUZZ" --locked --quiet --root target/tools

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(cargo fuzz list)
fi
for target in "${targets[@]}"; do
  [ -f "fuzz/fuzz_targets/$target.rs" ] || { echo "$target is not a target; \`ls fuzz/fuzz_targets\` shows them" >&2; exit 2; }
done

# The fuzzed code is the released code. No sanitizer is used: sanitizers need a nightly compiler and
# find little in safe code.
cp Cargo.lock fuzz/Cargo.lock
for target in "${targets[@]}"; do
  cargo fuzz build --sanitizer none --target-dir "$work" "$target"
done
programs=$work/$(rustc -vV | sed -n 's/^host: //p')/release

# last PATTERN FILE: the number after the last PATTERN.
last() { grep -oE "$1[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$' || echo 0; }

failed=0
for target in "${targets[@]}"; do
  found=$work/corpus/$target crashes=$work/crashes/$target log=$work/$target.log
  mkdir -p "$found" "$crashes"
  seeds=("tests/corpus/$target")
  # Recorded traffic, which other tests use, too.
  [ "$target" != wire ] || seeds+=(tests/fixtures/wire)
  outcome="nothing broke"
  "$programs/$target" -max_total_time="$seconds" -max_len=32768 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$crashes/" "$found" "${seeds[@]}" >"$log" 2>&1 || outcome=BROKEN
  printf '%-10s %9s executions, %5s edges reached, %4s of them new, %s\n' "$target" \
    "$(last 'number_of_executed_units: ' "$log")" "$(last 'cov: ' "$log")" \
    $(($(last 'cov: ' "$log") - $(last 'INITED cov: ' "$log"))) "$outcome"
  if [ "$outcome" = BROKEN ]; then
    failed=1
    grep -m 1 -A 3 -E 'panicked at|ERROR: libFuzzer' "$log" >&2 || tail -n 5 "$log" >&2
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "again: $programs/$target $input" >&2
  fi
done
exit "$failed"
