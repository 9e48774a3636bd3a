# kgrank: `make demo` shows all of it, `make test` checks all of it.
# Both need nothing but Python 3.11 or newer; another one: make demo PYTHON=/path/to/python3.12

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
LOG := $(VENV)/install.log

# Shows a step as the command to type (in an activated environment), then runs it.
step = @printf '\n\033[1m$$ %s\033[0m\n' '$(1)' && PATH="$(BIN):$$PATH" $(1)

# Installs the package with extras: pip's output goes to a log, a line for each large download and each phase is shown.
define install
@echo 'Installing kgrank$(1) into $(VENV): $(2). The log: $(LOG)'
@{ $(BIN)/python -m pip install --progress-bar off --editable '.$(1)' 2>&1; echo "exit code $$?"; } | tee $(LOG) | awk '\
  /^ *Downloading .* MB\)/ { sub(/^ *D/, "  d"); sub(/-(cp|py)[0-9][^ ]*/, ""); print; fflush() } \
  /^Collecting/ && !n++ { print "  finding which packages are needed"; fflush() } \
  /^Installing collected/ { print "  unpacking " NF - 3 " packages, the longest phase"; fflush() } \
  /^ERROR/ { print; fflush() }'
@grep -q '^exit code 0$$' $(LOG) || { echo 'Installing has failed; the end of $(LOG):'; tail -n 20 $(LOG); exit 1; }
@echo '  installed'
endef

.DEFAULT_GOAL := help
.PHONY: help demo groceries test check coverage docs release-notes schemas clean

help:
	@echo 'make demo           install into .venv, then kgrank demo run: build the demo shop, train, rank, compare with the truth'
	@echo 'make groceries      the same with a year of grocery purchases: kgrank demo groceries'
	@echo 'make test           install into .venv with the development tools, then make check'
	@echo 'make check          lint, types and tests in the .venv that is there'
	@echo 'make coverage       the tests once more, and the lines that none of them reaches'
	@echo 'make docs           build the documentation into site/ in the .venv that is there'
	@echo 'make release-notes  what changed in a version: make release-notes VERSION=0.4.0'
	@echo 'make schemas        write docs/schemas again from the types of the answers'
	@echo 'make clean          remove what the demo and the tools wrote (.venv stays)'

demo: $(VENV)/.installed
	$(call step,kgrank demo run)

groceries: $(VENV)/.installed-groceries
	$(call step,kgrank demo groceries)

test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory check

check:
	$(call step,ruff check)
	$(call step,ruff format --check)
	$(call step,mypy)
	$(call step,python -m pytest -n auto --dist load)

# Not within check: counting lines takes a quarter more processor time.
coverage:
	$(call step,coverage erase)
	$(call step,coverage run -m pytest)
	$(call step,coverage combine --quiet)
	$(call step,coverage report)

release-notes:
	@$(PYTHON) scripts/release_notes.py $(VERSION)

# All pages are made anew: what is generated changes with the code, not with the page that holds it.
docs:
	$(call step,python -m sphinx --quiet --fresh-env --write-all --fail-on-warning --keep-going docs site)

schemas:
	$(call step,python -m kgrank.serving.schemas docs/schemas)

clean:
	rm -rf demo-shop groceries out runs site .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kgrank needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one and name it: make demo PYTHON=/path/to/python3.11"; exit 1; }
	@echo 'Making the environment $(VENV)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml kgrank/__init__.py | $(VENV)/bin/python
	$(call install,[plots],one or two minutes the first time)
	@touch $@

$(VENV)/.installed-groceries: pyproject.toml kgrank/__init__.py | $(VENV)/bin/python
	$(call install,[groceries],one or two minutes the first time)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: pyproject.toml kgrank/__init__.py | $(VENV)/bin/python
	$(call install,[dev],some minutes the first time)
	@touch $@ $(VENV)/.installed
