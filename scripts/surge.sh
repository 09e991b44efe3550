#!/usr/bin/env bash
# All sale days, one after the other, about half an hour; a chart and a JSON for each in target/surge/.
# surge.sh [PROFILE...]; PROFILE is burst, hot, triple, one or paraphrases. SURGE_FLAGS are further flags of `surge`.
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- burst hot triple one paraphrases
outcome=0
for profile in "$@"; do
  printf '\n== %s\n' "$profile"
  # Word splitting is wanted: several flags in one variable.
  # shellcheck disable=SC2086
  scripts/bench.sh surge --profile "$profile" --chart "target/surge/$profile.svg" \
    --json "target/surge/$profile.json" ${SURGE_FLAGS:-} || outcome=$?
done
exit "$outcome"
