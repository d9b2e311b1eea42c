# Everything here works on a machine with Rust, Python >= 3.11 with pip and venv, make and a C compiler.
# The environment lives in .venv; nothing is installed outside this folder.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
VENV_LATENCY := .venv-latency
UV := $(BIN)/uv
CARGO ?= cargo
FILE ?=

# uv does not read pip's settings; where a machine has only those, pass them on.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
export UV_HTTP_TIMEOUT ?= 300
# An environment that happens to be active is not ours, and cargo must see the same one each time, or it
# builds PyO3 anew.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
unexport PYTHONPATH CONDA_PREFIX PYTHONHOME

SOURCES := $(shell find src benches -type f 2>/dev/null) Cargo.toml Cargo.lock

.PHONY: help demo test test-rust test-seam test-python test-frameworks test-robots test-versions test-memory test-free-threaded fuzz fuzz-readers lint format bench bench-latency wheel clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo $(VENV)/.extension ## pose a character with NumPy, torch and JAX (FILE=model.glb for your own)
	$(BIN)/python -m kinarray demo $(FILE)

test: test-rust test-python ## all tests, Rust and Python

test-rust:
	$(CARGO) test

test-seam: ## Rust tests of the seam to Python; they need a Python built with a shared library
	LD_LIBRARY_PATH=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))') \
	PYO3_PYTHON=$$($(PYTHON) -c 'import sys; print(sys.executable)') $(CARGO) test --features python --lib

# PyO3 leaves the stable ABI aside where the interpreter has no GIL: an extension for this version alone,
# which lies beside the other one under a name of its own.
PYTHON314T ?= python3.14t
FREE := $(CURDIR)/$(VENV)-free-threaded/bin/python
test-free-threaded: $(VENV)/.uv ## tests without the GIL (PYTHON314T=a free-threaded CPython >= 3.14)
	$(UV) venv --clear --quiet -p "$$(command -v $(PYTHON314T))" $(VENV)-free-threaded
	$(UV) pip install --quiet -p $(FREE) numpy pytest hypothesis
	PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(FREE) \
		$(CARGO) build --release --features python --target-dir target/free-threaded
	cp target/free-threaded/release/libkinarray.so \
		python/kinarray/_core$$($(FREE) -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
	PYTHONPATH=python $(FREE) -m pytest tests/test_parallel_stress.py tests/test_contract.py \
		tests/test_edges_numpy.py tests/test_out.py tests/test_random_arrays.py

SECONDS ?= 60
fuzz: $(VENV)/.test $(VENV)/.extension ## arbitrary structures and arrays, SECONDS each
	export LD_LIBRARY_PATH=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))'); \
	export PYO3_PYTHON=$$($(PYTHON) -c 'import sys; print(sys.executable)'); \
	for target in foreign dlpack arrow; do \
		$(CARGO) run --release --manifest-path fuzz/Cargo.toml --bin $$target -- $(SECONDS); \
	done
	KINARRAY_FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest tests/test_random_arrays.py -s

fuzz-readers: ## hostile files for each reader, SECONDS each; needs nightly Rust and cargo-fuzz
	cd fuzz/readers && for target in $$(ls seeds); do \
		mkdir -p corpus/$$target && \
		$(CARGO) +nightly fuzz run --fuzz-dir . -O $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=65536 || exit 1; \
	done

test-python: $(VENV)/.test $(VENV)/.extension $(VENV)/.example
	$(BIN)/python -m pytest

test-frameworks: $(VENV)/.extension .venv-frameworks/.installed ## the array tests with Paddle, TensorFlow, MLX and Warp too
	PYTHONPATH=python .venv-frameworks/bin/python -m pytest tests/test_frameworks.py tests/test_contract.py

test-robots: $(VENV)/.extension .venv-robots/.installed ## robots beside MuJoCo and Pinocchio
	PYTHONPATH=python .venv-robots/bin/python -m pytest tests/test_mujoco.py tests/test_pinocchio.py

test-versions: $(VENV)/.build ## the array tests beside old and new versions of the libraries; docs/versions.md
	UV=$(CURDIR)/$(UV) $(BIN)/python tests/versions.py

test-memory: $(VENV)/.test $(VENV)/.extension ## the edge-case tests under valgrind
	$(BIN)/python tests/memory_check.py

lint: $(VENV)/.lint $(VENV)/.extension ## formatting, clippy, ruff, mypy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets --features python -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.lint ## bring all sources into form
	$(CARGO) fmt --all
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.bench $(VENV)/.release ## this project beside PyMomentum, torch and JAX
	$(BIN)/python benchmarks/run.py

bench-latency: $(VENV_LATENCY)/.latency $(VENV)/.release ## what a small call costs, beside nanobind, pybind11, rust-numpy, tvm-ffi
	$(VENV_LATENCY)/bin/python benchmarks/latency/run.py

wheel: $(VENV)/.build ## the wheel, into dist/
	$(BIN)/maturin build --release --out dist
	@ls -l dist

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) .venv-frameworks .venv-robots $(VENV_LATENCY) target dist build demo-output bench-results .pytest_cache .mypy_cache .ruff_cache
	rm -f python/kinarray/_core*.so

$(VENV)/.uv:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 with the venv module in the PATH; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

# Each group of dependencies is installed again when pyproject.toml changes, and not otherwise.
$(VENV)/.build $(VENV)/.demo $(VENV)/.lint $(VENV)/.test $(VENV)/.bench: $(VENV)/.%: pyproject.toml | $(VENV)/.uv
	$(UV) pip install --group $*
	touch $@

# Gigabytes that only test-frameworks needs stay apart.
.venv-frameworks/.installed: pyproject.toml | $(VENV)/.uv
	$(UV) venv --clear --python $(BIN)/python .venv-frameworks
	$(UV) pip install --python .venv-frameworks/bin/python --group frameworks
	touch $@

.venv-robots/.installed: pyproject.toml | $(VENV)/.uv
	$(UV) venv --clear --python $(BIN)/python .venv-robots
	$(UV) pip install --python .venv-robots/bin/python --group robots
	touch $@

# The libraries that the latency benchmark compares with are nobody else's business.
$(VENV_LATENCY)/.latency: pyproject.toml | $(VENV)/.uv
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(VENV_LATENCY)
	$(UV) pip install --python $(VENV_LATENCY)/bin/python --group latency
	touch $@

# A quick optimised build for the demo and the tests; what is measured is what is released. There is one
# place for both, so each makes the other be built again.
$(VENV)/.extension: $(SOURCES) pyproject.toml | $(VENV)/.build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin develop --uv --profile quick
	rm -f $(VENV)/.release
	touch $@

$(VENV)/.release: $(SOURCES) pyproject.toml | $(VENV)/.build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin develop --uv --release
	rm -f $(VENV)/.extension
	touch $@

# The extension module of a Rust author.
$(VENV)/.example: $(SOURCES) $(shell find examples -type f -not -path '*/target/*' 2>/dev/null) | $(VENV)/.build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin develop --uv --profile quick \
		--manifest-path examples/any_array_extension/Cargo.toml
	touch $@
