# `make demo` and `make test` are all a newcomer needs; both install what is missing, with a list first.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
WITH_SERVICES := eval "$$(deploy/services env)"
PARLEY := .build/release/parley
SEED ?= 7
CALLS ?= 100
SPLIT ?= test
LONG_CALLS ?= 1000000

.PHONY: demo serve test build release lint format clean setup services bench bench-media bench-calls bench-cuts bench-churn bench-takeover bench-queue bench-restarts bench-turns bench-routing train-router simulate-long

setup:
	@deploy/setup

services: setup
	@deploy/services start

build: setup
	swift build --build-tests $(SWIFT_FLAGS)

# One test after another: many of them hold real sockets to a clock, and two cores are soon busy.
test: build services
	@python3 -m unittest discover -q bench/turns
	@python3 -m unittest discover -q bench/routing
	@python3 -m unittest discover -q models/router
	@$(WITH_SERVICES) && SWIFT_BACKTRACE=enable=no swift test --skip-build --no-parallel $(SWIFT_FLAGS)

release: setup
	swift build -c release --product parley --static-swift-stdlib $(SWIFT_FLAGS)

demo: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) demo --seed $(SEED)

serve: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) demo --seed $(SEED) --stay

bench: bench-media bench-cuts bench-takeover bench-queue bench-restarts

bench-media: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench media --calls $(CALLS)

# Needs two cores: one for the worker, one for everything else.
bench-calls: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench calls

# What is noticed of vendors' sockets that break, and of models that fail.
bench-cuts: release
	$(PARLEY) bench cuts
	$(PARLEY) bench models

# Ten minutes of calls that come and go.
bench-churn: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench churn

bench-takeover: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench takeover

bench-queue: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench queue

# Kills its servers, so it has some of its own.
bench-restarts: export PARLEY_HOME := $(CURDIR)/.parley/restarts
bench-restarts: release setup
	@deploy/services start && trap 'deploy/services stop' EXIT && $(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench restarts

bench-turns: release
	@bench/turns/setup
	@bench/turns/run $(PARLEY) --split $(SPLIT)

# DATA: labelled calls, PREFIXES: their system texts; MORE: a directory that models/router/corpora.py made, trained on beside.
PREFIXES ?= $(DATA:.jsonl.gz=-prefixes.json)
ROUTER_PYTHON := OMP_NUM_THREADS=1 .parley/router/venv/bin/python

train-router: release
	@test -n "$(DATA)" || { echo "DATA=calls.jsonl.gz: which calls?"; exit 2; }
	@models/router/setup
	@$(ROUTER_PYTHON) models/router/train.py --parley $(PARLEY) --calls $(DATA) $(MORE:%=%/calls.jsonl.gz) --prefixes $(PREFIXES) $(MORE:%=%/prefixes.json) --report $(DATA) --write

bench-routing: release
	@test -n "$(DATA)" || { echo "DATA=calls.jsonl.gz: which calls?"; exit 2; }
	@models/router/setup
	@$(ROUTER_PYTHON) bench/routing/run $(PARLEY) --data $(DATA) --prefixes $(PREFIXES) $(MORE:%=--more %)

# A million calls in virtual time; `make test` plays the first few thousand.
simulate-long: release
	$(PARLEY) simulate --seed $(SEED) --calls $(LONG_CALLS) --cores $$(nproc)

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

format:
	swift format --in-place --recursive Sources Tests Package.swift

clean:
	deploy/services stop
	rm -rf .build .parley
