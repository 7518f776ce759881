# `make` alone lists what there is. Every target sets itself up first.
.DEFAULT_GOAL := help
.PHONY: help up down clean test check lock bootstrap

# Where the sandbox ships to: swarm, or kubernetes with KUBECONFIG. Empty for where it did before, else swarm.
TARGET ?=
ifneq ($(TARGET),)
export NOCTURNE_TARGET = $(TARGET)
endif

# Without bytecode every start of Airflow takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
UV_APP := UV_PYTHON_DOWNLOADS=never $(BIN)/uv run --quiet --frozen --project app
EXPORT := $(BIN)/uv export --frozen --quiet --no-dev --no-emit-project --no-header --format requirements-txt
EXPORT_APP := $(BIN)/uv export --project app --frozen --quiet --no-dev --no-header
PYTEST_ARGUMENTS ?=

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: bootstrap ## start everything, run one nightly release, say where to look (TARGET=kubernetes, NOCTURNE_HOME, ports: see README)
	@$(BIN)/nocturne sandbox up

down: bootstrap ## stop every process that `make up` started; data stays
	@$(BIN)/nocturne sandbox down

clean: bootstrap ## stop everything and remove all data
	@$(BIN)/nocturne sandbox clean

test: bootstrap ## run all tests, the app's own first; needs no `make up` and disturbs none; those of Kubernetes where KUBECONFIG has one
	@cd app && UV_PYTHON_DOWNLOADS=never ../$(BIN)/uv run --quiet --frozen pytest
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-report=xml $(PYTEST_ARGUMENTS)

check: bootstrap ## format, lint, strict types, import contracts, locks
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=plugins $(BIN)/lint-imports
	$(UV_APP) ruff format --check app
	$(UV_APP) ruff check app
	$(UV_APP) mypy --config-file app/pyproject.toml -p app
	$(BIN)/uv lock --check --quiet
	$(BIN)/uv lock --check --quiet --project app
	$(EXPORT_APP) | diff app/requirements.txt - >/dev/null || { echo "app/requirements.txt is not what app/uv.lock says: make lock" >&2; exit 1; }
	$(EXPORT) | diff requirements.txt - >/dev/null || { echo "requirements.txt is not what uv.lock says: make lock" >&2; exit 1; }

lock: bootstrap ## after a change of dependencies: uv.lock and requirements.txt anew
	$(BIN)/uv lock
	$(EXPORT) --output-file requirements.txt >/dev/null
	$(BIN)/uv lock --project app
	$(EXPORT_APP) --output-file app/requirements.txt >/dev/null

bootstrap:
	@sh scripts/bootstrap.sh
