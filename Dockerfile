# Rushdesk with its embedding model. It runs as a user of its own, and its root file system may be read-only.
#
#   docker build -t rushdesk .                   the service
#   docker build -t rushdesk-load --target load .   simulated model servers, replay and benchmarks
#
# The bases are pinned by tag. To pin their content too, give the digests that your registry shows:
#   --build-arg BASE_IMAGE=debian:bookworm-slim@sha256:...
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

# The model and the ONNX Runtime, from pinned and hashed wheels.
FROM ${PYTHON_IMAGE} AS model
WORKDIR /src
COPY scripts/model scripts/model
RUN DATA_DIR=/data scripts/model/setup.sh && rm -r /data/model/.venv

FROM ${RUST_IMAGE} AS source
RUN cargo install --locked --root /usr/local cargo-cyclonedx@0.5.9
WORKDIR /src
COPY . .
# The bill of materials is generated from the lock file of this build.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo cyclonedx --format json --override-filename sbom.cdx

# Each program has a build of its own, since a common one would unify the features of their dependencies.
FROM source AS build
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile production --locked && \
    install -D -t /out/bin target/production/rushdesk

FROM source AS build-load
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    CARGO_PROFILE_RELEASE_STRIP=debuginfo cargo build --release --locked --package rushdesk-load && \
    install -D -t /out/bin target/release/rushdesk-load

FROM ${BASE_IMAGE} AS base
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates libstdc++6 && \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* && \
    useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent rushdesk && \
    install -d -m 700 -o rushdesk -g rushdesk /var/lib/rushdesk && \
    install -d /etc/rushdesk
USER 10001:10001
STOPSIGNAL SIGTERM

FROM base AS load
COPY --from=source /src/LICENSE /src/load/sbom.cdx.json /usr/share/doc/rushdesk/
COPY --from=build-load /out/bin/rushdesk-load /usr/local/bin/
ENTRYPOINT ["rushdesk-load"]

FROM base AS rushdesk
COPY --from=model /data/model /usr/share/rushdesk/model
COPY --from=source /src/LICENSE /src/sbom.cdx.json /usr/share/doc/rushdesk/
# The wheels that the model was made from, with hashes.
COPY scripts/model/requirements.txt /usr/share/doc/rushdesk/model-requirements.txt
COPY --from=build /out/bin/rushdesk /usr/local/bin/
ENV RUSHDESK__SERVER__LISTEN=0.0.0.0:8080 \
    RUSHDESK__SERVER__DATA_DIR=/var/lib/rushdesk \
    RUSHDESK__EMBEDDING__MODEL_DIR=/usr/share/rushdesk/model/all-MiniLM-L6-v2 \
    RUSHDESK__EMBEDDING__LIBRARY=/usr/share/rushdesk/model/libonnxruntime.so
# The service reads rushdesk.toml from here.
WORKDIR /etc/rushdesk
VOLUME /var/lib/rushdesk
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["rushdesk", "check-health"]
ENTRYPOINT ["rushdesk"]
CMD ["serve"]
