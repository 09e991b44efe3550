#!/usr/bin/env bash
# CPU, memory and added first-token time of streamed whole turns, beside the backend alone and a bare proxy in one run.
# Arguments go to `rushdesk-load bench turns`: --streams, --seconds, --runs, --json FILE.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/model/setup.sh
cargo build --release --locked --quiet --workspace
exec target/release/rushdesk-load bench turns --server-bin target/release/rushdesk "$@"
