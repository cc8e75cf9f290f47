# Everything here needs Python 3.11 or later, make, and nothing else.
#
#   make run      install what is missing and open the workbench
#   make test     the fast tests, one process a core, then journeys through the app
#                 in a browser
#   make slow     the tests that train for longer
#   make check    format, lint, types and layers: no test, under a minute
#   make docs     write docs/reference.md, and the documentation site to out/site
#   make screenshots  take the pictures of the documents from the running app
#   make stored   train again the comparison that the app opens on
#   make bench    every benchmark at a small size, with its table and figure
#   make clean    remove what make has built, and the virtual environment
#
# TORCH_INDEX   where to take torch from, for a build without CUDA:
#               make run TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= $(or $(shell command -v python3.11),$(shell command -v python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
TORCH := $(shell grep -o 'torch==[0-9.]*' constraints.txt)
BUILT_FROM := pyproject.toml constraints.txt hatch_build.py

.PHONY: run test slow check format docs screenshots stored bench clean
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	$(BIN)/workbench app

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not slow and not browser" -n logical --maxprocesses 8 --dist worksteal
	$(BIN)/python -m pytest -m "browser and not slow"

slow: $(VENV)/.installed-dev
	$(INSTALL) --editable '.[distributed]'
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/basedpyright --pythonpath $(BIN)/python

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/build_reference.py
	$(BIN)/python -m mkdocs build

screenshots: $(VENV)/.installed-dev
	$(BIN)/python docs/take_screenshots.py

stored: $(VENV)/.installed
	$(BIN)/python sample_dbs/stored/build.py

bench: $(VENV)/.installed-dev
	$(INSTALL) --editable '.[bench]'
	$(BIN)/python benchmarks/bench_staircase.py
	$(BIN)/python benchmarks/bench_tolerance.py
	$(BIN)/python benchmarks/bench_oversmoothing.py
	$(BIN)/python benchmarks/bench_keys.py address-3nf chinook planted
	$(BIN)/python benchmarks/bench_extract.py 100000
	$(BIN)/python benchmarks/bench_sweep.py
	$(BIN)/python benchmarks/bench_graph.py 100000 --repeats 1
	$(BIN)/python benchmarks/bench_cache.py 10000
	$(BIN)/python benchmarks/bench_diagnostics.py --rows 5000
	$(BIN)/python benchmarks/bench_sampler.py 200000
	$(BIN)/python benchmarks/bench_large.py 50000
	$(BIN)/python benchmarks/bench_preview.py --small --rows 20000
	$(BIN)/python benchmarks/bench_cost.py
	$(BIN)/python benchmarks/bench_scaling.py sample_dbs/stored/address
	$(BIN)/python benchmarks/bench_interface.py --small

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache

# --- installing ------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The workbench needs Python 3.11 or later, and $(or $(PYTHON),python3) is older or missing; name another one with make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Torch comes first and on its own: what it is decides how much arrives.
$(VENV)/.torch: constraints.txt | $(BIN)/python
	@if $(PIP) show --quiet torch 2>/dev/null; then :; \
	elif [ -n "$(TORCH_INDEX)" ]; then \
	  echo "Installing $(TORCH) from $(TORCH_INDEX)"; \
	elif [ "$$(uname -s)" = Linux ] && \
	  $(PIP) install --quiet --dry-run --no-deps --report - $(TORCH) | grep -Eq '"(nvidia|cuda)-'; then \
	  echo "$(TORCH) comes with CUDA here: some 2.7 GB to download. Without an NVIDIA GPU"; \
	  echo "stop now (Ctrl-C) and take the build without it, a tenth of that size:"; \
	  echo "  make $(or $(MAKECMDGOALS),run) TORCH_INDEX=https://download.pytorch.org/whl/cpu"; \
	else \
	  echo "Installing $(TORCH) without CUDA"; \
	fi
	@$(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX) --no-deps) $(TORCH)
	@touch $@

$(VENV)/.installed: $(BUILT_FROM) $(VENV)/.torch
	$(INSTALL) --editable '.[samples,databases,umap]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) --editable '.[dev,docs,samples,databases,umap,export,team]'
	@touch $@
