# kgrank: `make demo` shows all of it, `make test` checks all of it.
# Both need nothing but Python 3.11 or newer; another one: make demo PYTHON=/path/to/python3.12

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STORE := demo-shop/graph.lb

# Shows a step as the command to type (in an activated environment), then runs it.
step = @printf '\n\033[1m$$ %s\033[0m\n' '$(1)' && PATH="$(BIN):$$PATH" $(1)

.DEFAULT_GOAL := help
.PHONY: help demo test check schemas clean

help:
	@echo 'make demo    install into .venv, build the demo shop, train, rank, compare with the truth'
	@echo 'make test    install into .venv with the development tools, then make check'
	@echo 'make check   lint, types and tests in the .venv that is there'
	@echo 'make schemas write docs/schemas again from the types of the answers'
	@echo 'make clean   remove what the demo and the tools wrote (.venv stays)'

demo: $(VENV)/.installed demo-shop/truth.json
	$(call step,kgrank ontology check ontology/fashion)
	$(call step,kgrank load demo-shop --ontology ontology/fashion --store $(STORE))
	$(call step,python train.py --config configs/fashion.yaml)
	$(call step,kgrank rank dresses --store $(STORE) --limit 5 --explain)
	$(call step,kgrank demo report demo-shop --weights out/fashion/weights.json --chart out/fashion/importance.png)

demo-shop/truth.json: | $(VENV)/.installed
	$(call step,kgrank demo build demo-shop)

test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory check

check:
	$(call step,ruff check)
	$(call step,ruff format --check)
	$(call step,mypy)
	$(call step,python -m pytest)

schemas:
	$(call step,python -m kgrank.serving.schemas docs/schemas)

clean:
	rm -rf demo-shop out runs .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kgrank needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one and name it: make demo PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing into $(VENV); the first time this takes a few minutes.'
	$(BIN)/python -m pip install --quiet --editable '.[learn,plots]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing into $(VENV); the first time this takes a few minutes.'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
