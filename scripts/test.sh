#!/usr/bin/env bash
# Everything that must hold: format, lints, unit, integration and service tests, docs, deployment, real clients, and each
# fault once.
# Installs from Debian's packages what is missing: MariaDB, Redis, Chromium, curl, Node.js, SQLite's shell, nginx, Prometheus
# and systemd (for systemd-analyze). Starts private instances on free ports, and stops all it started.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh

workplace

step() { printf '\n== %s (%d s since the start)\n' "$*" "$SECONDS"; }

python_check

step "services"
services_start "$folder"
need chromium chromium
need curl curl
export RUSHDESK_TEST_MODEL_DIR="$PWD/data/model"

step "model"
scripts/model/setup.sh

step "format"
cargo fmt --all --check
# A workspace of its own, which `make fuzz` builds.
cargo fmt --manifest-path fuzz/Cargo.toml --check

step "clippy"
cargo clippy --workspace --all-targets --features rushdesk-load/goose --locked -- -D warnings

step "tests"
CI="${CI:-true}" cargo test --workspace --locked
# With the tests both programs were built: what follows takes them.
export RUSHDESK_BIN="$PWD/target/debug/rushdesk"

# Whatever speaks to Redis, once more on a cluster.
step "redis cluster"
services_cluster "$folder"
RUSHDESK_TEST_REDIS_URL="$RUSHDESK_TEST_CLUSTER_URL" CI="${CI:-true}" cargo test --workspace --locked --lib --test it -- \
  hot:: cache::redis limits:: distributed:: replicas:: rush::

step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

step "documentation"
scripts/docs.sh

step "deployment"
scripts/deployment.sh

step "load"
scripts/load.sh

step "monitoring"
scripts/monitoring.sh

step "audit"
scripts/audit.sh

step "fuzz-api"
scripts/fuzz-api.sh

step "clients"
scripts/clients.sh

step "chaos"
BIN=target/debug scripts/chaos.sh

step "chaos of actions"
BIN=target/debug scripts/kills.sh actions --writes 16 --seed 1
