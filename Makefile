# `make demo` and `make test` are all a newcomer needs; both install what is missing (with a list first).
SWIFT_FLAGS := --explicit-target-dependency-import-check error
SERVICES := eval "$$(deploy/services env)"

.PHONY: demo serve test build release lint format clean setup

setup:
	@deploy/setup

build: setup
	swift build --build-tests $(SWIFT_FLAGS)

test: build
	deploy/services start
	@$(SERVICES) && SWIFT_BACKTRACE=enable=no swift test --skip-build $(SWIFT_FLAGS)

release: setup
	swift build -c release --product parley $(SWIFT_FLAGS)

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

format:
	swift format --in-place --recursive Sources Tests Package.swift

clean:
	deploy/services stop
	rm -rf .build .parley
