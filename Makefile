# `make help` lists the targets; the work is in tools/.
VENV ?= .venv
PYTHON ?=
PORT ?= 8888
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test fuzz soak lint audit licences bench dev clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z]+:.* ## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  VENV=$(VENV)  PYTHON=(the first that is 3.10 or newer)  PORT=$(PORT)  ARGS=(for pytest, or the soak)'

run: $(VENV)/.installed-examples ## a server on an example project, with real runs in it (PORT=8888)
	@$(VENV)/bin/python tools/demo.py --port $(PORT)

test: $(VENV)/.installed-examples,test ## all tests (ARGS="-k logs", ARGS="-n 2", ...)
	$(VENV)/bin/pytest $(ARGS)

soak: $(VENV)/.installed-examples,test ## an hour of faults, several at once; what was lost (ARGS="--minutes 10")
	$(VENV)/bin/python -m tests.faults.soak $(ARGS)

fuzz: $(VENV)/.installed-examples,test ## made-up calls, crashes and files, others each time: a hundred times as many as the tests try
	RA_FUZZ=long $(VENV)/bin/pytest --timeout=0 tests/fuzz $(ARGS)

lint: $(VENV)/.installed-lint widget/node_modules/.installed ## ruff and mypy; tsc, eslint and vitest
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy tools/*.py
	@$(NPM) run --silent check
	@$(NPM) run --silent lint
	@$(NPM) run --silent test

audit: $(VENV)/.installed-audit,mcp,tensorboard,wandb ## known vulnerabilities and new licences of what is installed with us
	$(VENV)/bin/python tools/audit.py
	$(VENV)/bin/python tools/licences.py --check

licences: $(VENV)/.installed-audit,mcp,tensorboard,wandb ## docs/licences.md anew
	$(VENV)/bin/python tools/licences.py

bench: $(VENV)/.installed-examples,test ## the measurements, each with its reference beside it
	$(VENV)/bin/python bench/core.py
	$(VENV)/bin/python bench/sweeps.py
	$(VENV)/bin/python bench/loop.py
	$(VENV)/bin/python bench/ui.py

dev: widget/node_modules/.installed ## an editable install, and the panel built anew whenever its sources change
	@$(VENV)/bin/python tools/panel.py watch

clean: ## remove the environments, caches and builds, and the example project with its runs
	rm -rf .venv .venv-3.* build dist jupyter_ra_jobs/static widget/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

NPM = $(VENV)/bin/python tools/panel.py npm

# What checks the panel; what builds it, the build hook installs by itself.
widget/node_modules/.installed: $(VENV)/.installed-lint widget/package-lock.json
	@$(NPM) ci --no-progress
	@touch $@

# One stamp for each set of extras: installed again when pyproject.toml changes.
$(VENV)/.installed-%: pyproject.toml tools/setup.sh
	@VENV='$(VENV)' PYTHON='$(PYTHON)' tools/setup.sh $*
	@touch $@
