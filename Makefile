# Two commands do everything on a fresh machine: `make run` and `make test`. Both work in .venv inside this checkout.

VENV := .venv
BIN := $(VENV)/bin
# the first Python that is new enough; PYTHON=... chooses another one
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)

.PHONY: run test lint types contracts pytest quick snapshots screenshots clean

run: $(VENV)/.installed ## open the app; without a terminal, train for half a minute and print completions
	@$(BIN)/chargru

test: lint types contracts pytest ## everything that CI runs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

pytest: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "long or not long"

quick: $(VENV)/.installed-dev ## the tests that take less than a minute
	$(BIN)/python -m pytest

snapshots: $(VENV)/.installed-dev ## approve what the screens look like now: look at tests/tui/snapshots before keeping it
	CHARGRU_UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q -m "long or not long" tests/tui/test_snapshots.py

screenshots: $(VENV)/.installed-dev ## the README's pictures, made by the app itself
	$(BIN)/python benchmarks/screenshots.py

# CHARGRU_EXTRAS=cuda13 (or cuda12) adds CuPy
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing chargru into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable ".$(if $(CHARGRU_EXTRAS),[$(CHARGRU_EXTRAS)])"
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints-dev.txt | $(BIN)/python
	@echo "installing chargru and what its tests need into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints-dev.txt --editable ".[dev]"
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "chargru needs Python 3.11 or newer with venv: install python3 (and python3-venv), or say make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "$(PYTHON) could not make a virtual environment: install its venv module (python3-venv)" >&2; rm -rf $(VENV); exit 1; }

clean: ## remove what make made; runs in checkpoints/ stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
