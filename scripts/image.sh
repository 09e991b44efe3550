#!/usr/bin/env bash
# Builds the image with real tools and runs it like the platform: image.sh
#
# Uses buildah and podman from Debian. No image is pulled: debootstrap and this machine's toolchain
# create the three base images of the Dockerfile. So the published base images are not checked.
# Containers share the network of this machine. Caches and images stay in target/image, about 12 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need buildah buildah
need podman podman
need runc runc
need debootstrap debootstrap
need curl curl

work=$PWD/target/image
mkdir -p "$work"
export CONTAINERS_STORAGE_CONF="$work/storage.conf" BUILDAH_ISOLATION=chroot TMPDIR="$work"
cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "${STORAGE_DRIVER:-overlay}"
graphroot = "$work/graph"
runroot = "$work/run"
CONF

# has IMAGE: whether the image exists.
has() { buildah images --quiet "$1" >/dev/null 2>&1; }

# stand_in NAME BASE PACKAGE...: creates an image with more packages than its base. It trusts the
# same certificate authorities as this machine.
stand_in() {
  local name=$1 from=$2 container
  shift 2
  has "$name" && return 0
  container=$(buildah from --pull-never "$from")
  buildah run --network host "$container" -- sh -ec 'export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' apt ca-certificates "$@"
  buildah add --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ >/dev/null
  buildah config --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}

bases() {
  local container toolchain
  if ! has localhost/stand-in-base; then
    [ -d "$work/rootfs" ] || {
      rm -rf "$work/rootfs.new"
      debootstrap --variant=minbase bookworm "$work/rootfs.new" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 5 "$work/debootstrap.log" >&2; return 1; }
      mv "$work/rootfs.new" "$work/rootfs"
    }
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/rootfs" / >/dev/null
    buildah commit --quiet --rm "$container" localhost/stand-in-base >/dev/null
  fi
  stand_in localhost/stand-in-python localhost/stand-in-base python3 python3-venv
  stand_in localhost/stand-in-gcc localhost/stand-in-base gcc libc6-dev
  if ! has localhost/stand-in-rust; then
    toolchain=$(rustc --print sysroot)
    container=$(buildah from --pull-never localhost/stand-in-gcc)
    for part in bin lib libexec; do
      buildah add --quiet "$container" "$toolchain/$part" "/usr/local/rust/$part" >/dev/null
    done
    buildah config --env CARGO_HOME=/usr/local/cargo \
      --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit --quiet --rm "$container" localhost/stand-in-rust >/dev/null
  fi
}

build() {
  buildah build --pull-never --layers --network host --format docker --target "$1" --tag "localhost/$2" \
    --build-arg RUST_IMAGE=localhost/stand-in-rust --build-arg PYTHON_IMAGE=localhost/stand-in-python \
    --build-arg BASE_IMAGE=localhost/stand-in-base .
}

# container ARGUMENT...: `podman run` with the restrictions of a strict platform.
container() {
  podman --cgroup-manager cgroupfs --runtime "$(command -v runc)" run --network host --read-only --cap-drop all \
    --security-opt no-new-privileges --ulimit "nofile=$(ulimit -Hn)" --ulimit nproc=1000 "$@"
}

fail() {
  echo "$*" >&2
  podman logs --tail 20 "$name" >&2 || true
  exit 1
}

# json KEY...: a value of the object on standard input.
json() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda o, k: o[k], sys.argv[1:], json.load(sys.stdin)))' "$@"; }

name=rushdesk-image-test
cleanup() { podman rm --force --volumes "$name" >/dev/null 2>&1 || true; }
trap cleanup EXIT
trap 'exit 130' INT TERM

check_service() {
  local port url token session answer
  port=$(free_port)
  url=http://127.0.0.1:$port
  if container --rm localhost/rushdesk >/dev/null 2>&1; then
    fail "it starts without a secret"
  fi
  container --detach --name "$name" --env RUSHDESK__SERVER__LISTEN="127.0.0.1:$port" \
    --env RUSHDESK__AUTH__JWT_SECRET="$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" localhost/rushdesk >/dev/null
  for _ in $(seq 240); do
    podman exec "$name" rushdesk check-health >/dev/null 2>&1 && break
    [ "$(podman inspect --format '{{.State.Running}}' "$name")" = true ] || fail "it ended"
    sleep 0.5
  done
  podman healthcheck run "$name" >/dev/null || fail "the health check of the image fails"
  [ "$(curl -fsS "$url/readyz" | json embedder)" = ok ] || fail "the model is not in the image"
  [ "$(podman exec "$name" id -u)" = 10001 ] || fail "it does not run as its own user"
  if podman exec "$name" touch /usr/local/bin/rushdesk 2>/dev/null; then
    fail "its files can be changed"
  fi
  token=$(curl -fsS "$url/v1/auth/visitor" -H 'content-type: application/json' -d '{"site_key":"pk_demo"}' | json access_token)
  session=$(curl -fsS "$url/v1/sessions" -H "authorization: Bearer $token" -H 'content-type: application/json' -d '{}' | json id)
  answer=$(curl -fsS -N "$url/v1/sessions/$session/messages" -H "authorization: Bearer $token" -H 'idempotency-key: one' \
    -H 'accept: text/event-stream' -H 'content-type: application/json' -d '{"text":"How long do I have to send something back?"}')
  grep -q 'answer.completed' <<<"$answer" || fail "it does not answer"
  podman stop --time 60 "$name" >/dev/null
  [ "$(podman inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || fail "it did not stop cleanly"
  podman rm --volumes "$name" >/dev/null
}

check_load() {
  local port
  port=$(free_port)
  container --detach --name "$name" localhost/rushdesk-load sim-llm --listen "127.0.0.1:$port" >/dev/null
  for _ in $(seq 60); do
    curl -fsS "http://127.0.0.1:$port/v1/models" >/dev/null 2>&1 && break
    sleep 0.5
  done
  curl -fsS "http://127.0.0.1:$port/v1/models" >/dev/null || fail "the simulator does not answer"
  podman stop --time 10 "$name" >/dev/null
  podman rm "$name" >/dev/null
}

# check_contents IMAGE CRATE: the bill of materials lists the linked crates, and no build files are
# left.
check_contents() {
  local rootfs container
  container=$(buildah from --pull-never "localhost/$1")
  rootfs=$(buildah mount "$container")
  python3 - "$rootfs/usr/share/doc/rushdesk/sbom.cdx.json" "$2" <<'PY' || fail "the bill of materials of $1 is incomplete"
import json, sys
bom = json.load(open(sys.argv[1]))
names = {component["name"] for component in bom["components"]}
assert bom["bomFormat"] == "CycloneDX" and len(names) > 100 and sys.argv[2] in names
print(f"{len(bom['components'])} components in the bill of materials")
PY
  for absent in usr/local/cargo usr/local/rust src data; do
    [ ! -e "$rootfs/$absent" ] || fail "/$absent is in the image $1"
  done
  du -sh --apparent-size "$rootfs" | sed "s#\t.*#\t$1, of which the stand-in of the base $(du -sh --apparent-size "$work/rootfs" | cut -f1)#"
  buildah rm "$container" >/dev/null
}

step() { printf '\n== %s\n' "$*"; }
step "stand-ins of the bases"
bases
step "build"
build rushdesk rushdesk
build load rushdesk-load
step "contents"
check_contents rushdesk diesel
check_contents rushdesk-load clap
step "service"
check_service
step "load"
check_load
printf '\nNot checked: the published bases themselves, and a registry.\n'
