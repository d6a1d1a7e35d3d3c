# make run    set everything up and open the lab on http://127.0.0.1:8501
# make test   set everything up and run the tests
# make demo   the demo study in the terminal
# make check  formatting, lint, types and tests: what CI runs

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run demo test check fix docs browser postgres models clean

run: models
	$(PY) -m scripts.serve

demo: models
	$(PY) -m core demo

test: $(VENV)/dev browser postgres models
	$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(MAKE) test

fix: $(VENV)/dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

models: $(VENV)/lab
	$(PY) -m core models fetch

docs: $(VENV)/dev
	$(PY) -m scripts.tables

# A browser for the end-to-end tests: Debian's, or Playwright's own where that can be downloaded.
browser: $(VENV)/dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } \
	  || $(VENV)/bin/playwright install --with-deps chromium \
	  || echo "No browser could be installed: the tests that need one will be skipped."

# A database server for the tests of labs that several machines share: Debian's.
postgres:
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } \
	  || echo "PostgreSQL could not be installed: the tests that need it will be skipped."

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The lab needs Python 3.11 or newer: call make with PYTHON=/path/to/python3.11."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "Install Python's venv module first (Debian: apt-get install python3-venv)."; rm -rf $(VENV); exit 1; }

$(VENV)/lab: $(VENV)/bin/python requirements.txt
	$(PY) -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/dev: $(VENV)/lab requirements-dev.txt
	$(PY) -m pip install --quiet -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
