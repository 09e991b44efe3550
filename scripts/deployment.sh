#!/usr/bin/env bash
# Checks the chart, the image, the compose file and the unit, as far as possible without a cluster
# or a container. Helm and the compose reader are built once with Go, which takes about two minutes
# of CPU time. UPDATE_GOLDEN=1 writes the manifests of helm/tests/golden.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
. scripts/venv.sh
need promtool prometheus
need nginx nginx
need redis-server redis-server
need mariadbd mariadb-server
need systemd-analyze systemd
# Used by the unit to reload.
need /bin/kill procps
need openssl openssl
command -v go >/dev/null || { echo "go is missing: Helm is built from source with Go 1.26 or newer" >&2; exit 1; }

# Helm 3, which builds faster than Helm 4; the chart supports both.
HELM=3.19.4
COMPOSE=2.16.2
export TOOLS="$PWD/target/tools"
# tool NAME PACKAGE VERSION: installs a Go program as NAME, unless this version is already there.
tool() {
  [ "$(cat "$TOOLS/$1.version" 2>/dev/null)" = "$3" ] && [ -x "$TOOLS/$1" ] && return 0
  mkdir -p "$TOOLS/new"
  # The tools run for only a second, so compiler optimisations would take longer than they save.
  GOBIN="$TOOLS/new" CGO_ENABLED=0 GOGC=400 go install -gcflags='all=-N -l -dwarf=false' -ldflags='-s -w' "$2@v$3"
  mv "$TOOLS/new/$(basename "$2")" "$TOOLS/$1"
  printf '%s\n' "$3" >"$TOOLS/$1.version"
}
tool helm helm.sh/helm/v3/cmd/helm "$HELM"
tool compose github.com/compose-spec/compose-go/v2/cmd "$COMPOSE"

venv "$TOOLS/deployment" tests/deployment/requirements.txt
scripts/model/setup.sh
[ -n "${RUSHDESK_BIN:-}" ] || cargo build --workspace --locked --quiet
# Private stores, unless another script has started some.
if [ -z "${RUSHDESK_TEST_MYSQL_URL:-}" ] || [ -z "${RUSHDESK_TEST_REDIS_URL:-}" ]; then
  folder=$(mktemp -d)
  trap 'services_stop; rm -rf "$folder"' EXIT
  trap 'exit 130' INT TERM
  services_start "$folder"
fi
export RUSHDESK_BIN="${RUSHDESK_BIN:-target/debug/rushdesk}"
"$TOOLS/deployment/bin/python" -m pytest -q tests/deployment "$@"
