# What people type. Everything else is in scripts/ and pyproject.toml.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
# Words for the program that a target runs: make console ARGS="status --json", make test ARGS="-k words".
ARGS ?=

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: console
console: runtime ## set everything up and open the console (ARGS="status --json" runs a command instead)
	@exec $(BIN)/mlops-console $(ARGS)

.PHONY: demo
demo: runtime ## open the console on an invented server
	@exec $(BIN)/mlops-console --demo $(ARGS)

.PHONY: train
train: platform ## train a project for real (PROJECT=project-b; all the rest is in docs/projects.md)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/train

.PHONY: publish
publish: platform ## publish a finished run to the Hub, again if need be (RUN=local-3)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/publish

.PHONY: dataset
dataset: platform ## upload a project's data set to the Hub and pin it (PROJECT=project-b)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/dataset

.PHONY: reap
reap: platform ## bring trainings to their end whose build, or make train, has died
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/reap

.PHONY: new-project
new-project: platform ## make a project that trains at once (NAME=my-project)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/new-project

.PHONY: check-projects
check-projects: platform ## hold every project against the contract in docs/projects.md
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec infra/jenkins/bin/check-projects

# The server's own Python does: nothing has to be installed for these.
.PHONY: secrets
secrets: ## make the platform's secrets, each once (ROTATE=name, GIVE=name FILE=path)
	@exec infra/bin/secrets

.PHONY: preflight
preflight: ## say all that would keep the platform from starting
	@exec infra/bin/preflight

.PHONY: up
up: ## start the platform on this server, and wait until it is healthy (LIMIT=900 seconds)
	@exec infra/bin/up

.PHONY: down
down: ## end the platform's services; data and running trainings stay
	@exec infra/bin/down

.PHONY: upgrade
upgrade: ## bring this server to another commit, and back when it does not get healthy (TO=v1.2.0)
	@exec infra/bin/upgrade

.PHONY: backup
backup: ## write one encrypted backup of what cannot be made anew, and read it back
	@exec infra/bin/backup

.PHONY: restore
restore: ## put a backup in the place of what is here; asks first (FILE=path, else the newest)
	@exec infra/bin/restore

.PHONY: destroy
destroy: ## remove the platform and its data from this server; says what it keeps, asks first
	@exec infra/bin/destroy

.PHONY: pin
pin: ## pin every image by its digest, compare the plugins (WRITE=plugins puts those in too)
	@exec infra/bin/pin

.PHONY: deploy
deploy: ansible ## make this server a training server (ARGS="--check", ARGS="-i inventory/site.yml")
	@cd infra/ansible && exec $(CURDIR)/$(BIN)/ansible-playbook playbook.yml $(ARGS)

# Two at a time: each worker starts a Docker Engine of its own, which costs more than a third one brings.
.PHONY: test
test: dev ## run the tests; what this machine cannot run is named at the end (ARGS="-k words")
	@exec $(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

.PHONY: test-projects
test-projects: dev ## run the projects' own tests, each in its own environment (6 GB for project-a)
	@scripts/test-projects

.PHONY: test-ansible
test-ansible: infra ## try infra/ansible on a fresh Debian 12 that is made for it (root, 3 GB)
	@exec $(BIN)/python -m pytest tests/ansible $(ARGS)

.PHONY: lint
lint: dev ## check the Python: rules, format, types, who imports whom
	@scripts/lint

.PHONY: lint-infra
lint-infra: infra ## check shell scripts, YAML, Dockerfiles and workflows
	@scripts/lint-infra

.PHONY: format
format: dev ## bring the Python into its one format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: docs
docs: dev ## make the tables and pictures in docs/, and the list of variables, anew
	@$(BIN)/python scripts/docs.py
	@$(BIN)/python scripts/pictures.py

.PHONY: snapshots
snapshots: dev ## make the pictures of the screen anew; look at every one of them before you commit
	@$(BIN)/python -m pytest -q tests/console/ui/test_snapshots.py --snapshot-update

.PHONY: bench
bench: dev ## measure speed and memory beside a minimal app, lazydocker and nvitop (ARGS="--quick")
	@$(BIN)/python -m bench $(ARGS)
	@$(BIN)/python -m bench.scale $(ARGS)
	@exec $(BIN)/python -m bench.gpus $(ARGS)

.PHONY: bench-gpus
bench-gpus: dev ## measure eight GPUs beside nvitop; needs a C compiler and no GPU (ARGS="--quick")
	@exec $(BIN)/python -m bench.gpus $(ARGS)

.PHONY: bench-scale
bench-scale: dev ## measure 300 containers beside lazydocker and a Textual table (ARGS="--quick")
	@exec $(BIN)/python -m bench.scale $(ARGS)

.PHONY: bench-prune
bench-prune: dev ## measure the preview of a prune of 300 images and 300 volumes (ARGS="--quick")
	@exec $(BIN)/python -m bench.prune $(ARGS)

.PHONY: bench-hour
bench-hour: dev ## let an hour of the demo pass in a minute: does memory stay? (ARGS="--leaks")
	@exec $(BIN)/python -m bench.hour $(ARGS)

.PHONY: bench-logs
bench-logs: dev ## measure following, searching and printing logs beside docker and lnav (ARGS="--quick")
	@exec $(BIN)/python -m bench.logs $(ARGS)

.PHONY: bench-logview
bench-logview: dev ## measure the log view beside lazydocker, lnav, toolong (ARGS="--quick")
	@exec $(BIN)/python -m bench.logview $(ARGS)

.PHONY: bench-metrics
bench-metrics: dev ## measure what metrics of a log cost, beside only its lines (ARGS="--quick")
	@exec $(BIN)/python -m bench.metrics $(ARGS)

.PHONY: bench-jenkins
bench-jenkins: dev ## measure what watching Jenkins costs, beside python-jenkins (ARGS="--quick")
	@exec $(BIN)/python -m bench.jenkins $(ARGS)

.PHONY: bench-history
bench-history: dev ## measure writing, reading and the size of the history of runs (ARGS="--quick")
	@exec $(BIN)/python -m bench.history $(ARGS)

.PHONY: bench-record
bench-record: dev ## measure the recorder beside three trainings and two GPUs (ARGS="--quick")
	@exec $(BIN)/python -m bench.record $(ARGS)

.PHONY: bench-plot
bench-plot: dev ## measure what it costs to draw the curves of a run (ARGS="--quick")
	@exec $(BIN)/python -m bench.plot $(ARGS)

.PHONY: bench-training
bench-training: dev ## measure what the steps of a training cost, and what images weigh (ARGS="--quick")
	@exec $(BIN)/python -m bench.training $(ARGS)

.PHONY: bench-way-in
bench-way-in: dev ## measure merge to queued, and what the way in adds to a request (ARGS="--quick")
	@exec $(BIN)/python -m bench.way_in $(ARGS)

.PHONY: lock
lock: ## resolve the dependencies anew into requirements/
	@scripts/lock

.PHONY: runtime platform dev ansible infra
runtime: ## set up what the console needs, and nothing more
	@scripts/setup-env runtime
platform: ## set up what trainings by hand need
	@scripts/setup-env platform
dev: ## set up what tests, lint and benchmarks need
	@scripts/setup-env dev
ansible: ## set up what deploy needs
	@scripts/setup-env ansible
infra: ## set up what lint-infra and test-ansible need
	@scripts/setup-env infra

.PHONY: clean
clean: ## remove the environment and what tools left behind
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
