# What people type. Everything else is in scripts/ and pyproject.toml.

SHELL := /bin/sh
VENV := .venv
PYTHON := $(VENV)/bin/python
# Lines that begin with a target and end in "## words" are the help.
.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.PHONY: console
console: ## set everything up and open the console (ARGS="status --json" runs a command instead)
	@scripts/setup-env runtime
	@$(VENV)/bin/mlops-console $(ARGS)

.PHONY: demo
demo: ## open the console on an invented server
	@scripts/setup-env runtime
	@$(VENV)/bin/mlops-console --demo $(ARGS)

.PHONY: dev
dev: ## set up what tests, checks and benchmarks need
	@scripts/setup-env dev

.PHONY: test
test: dev ## run the tests; what this machine cannot run is named at the end (ARGS="-k words")
	@$(PYTHON) -m pytest -n 2 --dist loadscope $(ARGS)

.PHONY: lint
lint: dev ## check the Python: format, rules, types, who imports whom
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

.PHONY: lint-infra
lint-infra: dev ## check shell scripts, YAML, Dockerfiles and workflows
	@scripts/lint-infra

.PHONY: format
format: dev ## bring the Python into its one format
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

.PHONY: docs
docs: dev ## make the tables and pictures in docs/ anew from the program
	@$(PYTHON) scripts/docs.py
	@$(PYTHON) scripts/pictures.py

.PHONY: snapshots
snapshots: dev ## make the pictures of the screen anew; look at every one of them before you commit
	@$(PYTHON) -m pytest -q tests/console/ui/test_snapshots.py --snapshot-update

.PHONY: bench
bench: dev ## measure speed and memory beside a minimal app and lazydocker (ARGS="--quick")
	@$(PYTHON) -m bench $(ARGS)

.PHONY: lock
lock: dev ## resolve the dependencies anew into requirements/
	@scripts/lock

.PHONY: clean
clean: ## remove the environment and what tools left behind
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
