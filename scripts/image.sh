#!/usr/bin/env bash
# Builds the image for real and runs it as the platform would: image.sh
#
# Takes buildah and podman from Debian. No image is pulled: the three bases of the Dockerfile are made by debootstrap and
# from this machine's toolchain, so what is not checked is that the published bases behave like them.
# Containers share the network of this machine; caches and images stay in target/image, about 8 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/services.sh
need buildah buildah
need podman podman
need crun crun
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

# has IMAGE: whether the store has it.
has() { buildah images --quiet "$1" >/dev/null 2>&1; }

# stand_in NAME BASE PACKAGE...: an image with more packages than another. It trusts whom this machine trusts.
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

step() { printf '\n== %s\n' "$*"; }
step "stand-ins of the bases"
bases
step "service"
build rushdesk rushdesk
step "load"
build load rushdesk-load
