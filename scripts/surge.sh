#!/usr/bin/env bash
# Plays all sale days, one after the other, in about half an hour. Writes a chart and a JSON file
# for each to target/surge/.
# surge.sh [PROFILE...]; PROFILE is burst, hot, triple, one or paraphrases. SURGE_FLAGS are further
# flags of `surge`.
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- burst hot triple one paraphrases
outcome=0
for profile in "$@"; do
  printf '\n== %s\n' "$profile"
  # Word splitting is intended: the variable contains several flags.
  # shellcheck disable=SC2086
  scripts/bench.sh surge --profile "$profile" --chart "target/surge/$profile.svg" \
    --json "target/surge/$profile.json" ${SURGE_FLAGS:-} || outcome=$?
done
exit "$outcome"
