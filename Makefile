# Everything a newcomer needs. `make demo` first; `make check` and `make test` are the whole ritual of a change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Many containers forbid it. Then every process reads all our code and every test anew: seconds each time.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test quick check format bench statistics screenshots clean

help: ## Say what there is.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing into $(VENV) (about a minute, once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $(STAMP)

demo: $(STAMP) ## Load the onboarding story into .demo/ and serve it. ARGS=--no-serve stops after printing.
	@WHYTREE_DATA= $(BIN)/whytree demo --data .demo $(ARGS)

test: $(STAMP) ## Run all tests: unit, API, PostgreSQL, browser. Installs Debian's chromium, postgresql and nodejs when root.
	@$(BIN)/python tests/run.py

# What it leaves out holds in `make test`: what waits (browsers, servers, clones, simulations), what asks the event engine,
# and whatever comes in by a door (pages, API, command line).
quick: $(STAMP) ## Engines and services alone: no pages, API, commands, event engine, servers, simulations.
	@$(BIN)/python -m pytest -q -n auto -m "not browser and not live and not slow and not engine and not door"

check: $(STAMP) ## Format, lint, types, layers.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Put the code into its form.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## Run every benchmark, an hour or two; each prints the ratio it is judged by. Those over their budget are named at the end.
	@late=""; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || late="$$late $$script"; done; \
	test -z "$$late" || { echo "over budget:$$late"; exit 1; }

statistics: $(STAMP) ## Measure how often each estimator is wrong, and write it into docs/statistics.md (ten minutes).
	@$(BIN)/python -m tests.engines.stats.rates

screenshots: $(STAMP) ## Make the README's pictures again, from the demo, in a real browser.
	@$(BIN)/python docs/screenshots.py

clean: ## Remove what the commands above made.
	rm -rf $(VENV) .demo .test .mypy_cache .pytest_cache .ruff_cache .hypothesis
