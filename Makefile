# Everything a newcomer or maintainer does, by name. `make` alone lists it.

PYTHON ?= python3
PY := .venv/bin/python
# All tests run in this many processes: more than two cores' worth, for many of them wait. Those of
# `check` do not wait, so they get one for each core.
JOBS ?= 4
# What Python compiled is kept, whatever the machine prefers: else every run, and every process a
# test starts, compiles all libraries anew.
export PYTHONDONTWRITEBYTECODE :=
# Options for the local cloud, for example: make run ARGS="--functions-port 8071"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check format clean distclean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Set up Python, libraries and Azurite in this folder (the others do it themselves)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "assay: cannot go on: there is no $(PYTHON) on PATH; install Python 3.9 or newer" >&2; exit 1; }
	@$(PYTHON) tools/bootstrap.py

run: setup ## Start the whole product on this machine and play a scenario; Ctrl-C stops it
	@exec $(PY) -m localcloud $(ARGS)

demo: setup ## Play the scenario, check every step of it, and stop
	@exec $(PY) -m localcloud --exit-after-scenario $(ARGS)

test: setup ## Run every test
	@exec $(PY) -m pytest -n $(JOBS) --dist loadfile

check: setup ## Format, lint, types, import rules, unit and contract tests: before every commit
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m mypy tools/bootstrap.py
	.venv/bin/lint-imports
	$(PY) -m pytest -n auto --dist worksteal -q tests/unit tests/architecture tests/contract

format: setup ## Format the code and mend what ruff can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean: ## Remove what runs and tests leave behind
	rm -rf .localcloud .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov .coverage
	find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## Remove everything that set-up installed, too
	rm -rf .venv .tools localcloud/node_modules tests/conformance/node_modules
