# `make demo` and `make test` are all a newcomer needs; both install what is missing, with a list first.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
WITH_SERVICES := eval "$$(deploy/services env)"
PARLEY := .build/release/parley
SEED ?= 7
CALLS ?= 100

.PHONY: demo serve test build release lint format clean setup services bench bench-media

setup:
	@deploy/setup

services: setup
	@deploy/services start

build: setup
	swift build --build-tests $(SWIFT_FLAGS)

# Suites share one PostgreSQL and Redis; each makes a database of its own.
test: build services
	@$(WITH_SERVICES) && SWIFT_BACKTRACE=enable=no swift test --skip-build $(SWIFT_FLAGS)

release: setup
	swift build -c release --product parley $(SWIFT_FLAGS)

demo: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) demo --seed $(SEED)

serve: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) demo --seed $(SEED) --stay

bench: bench-media

bench-media: release services
	@$(WITH_SERVICES) && $(PARLEY) migrate && $(PARLEY) bench media --calls $(CALLS)

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

format:
	swift format --in-place --recursive Sources Tests Package.swift

clean:
	deploy/services stop
	rm -rf .build .parley
