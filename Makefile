# `make` alone lists what there is. Every target sets itself up first.
.DEFAULT_GOAL := help
.PHONY: help up down clean test check lock bootstrap

# Where the sandbox ships to.
TARGET ?= swarm
export NOCTURNE_TARGET = $(TARGET)

# Without bytecode every start of Airflow takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
EXPORT := $(BIN)/uv export --frozen --quiet --no-dev --no-emit-project --no-header --format requirements-txt
PYTEST_ARGUMENTS ?=

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: bootstrap ## start everything, run one nightly release, say where to look (NOCTURNE_HOME and ports: see README)
	@$(BIN)/nocturne sandbox up

down: bootstrap ## stop every process that `make up` started; data stays
	@$(BIN)/nocturne sandbox down

clean: bootstrap ## stop everything and remove all data
	@$(BIN)/nocturne sandbox clean

test: bootstrap ## run all tests, with coverage; needs no `make up` and disturbs none
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-report=xml $(PYTEST_ARGUMENTS)

check: bootstrap ## format, lint, strict types, import contracts, locks
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=plugins $(BIN)/lint-imports
	$(BIN)/uv lock --check --quiet
	$(EXPORT) | diff requirements.txt - >/dev/null || { echo "requirements.txt is not what uv.lock says: make lock" >&2; exit 1; }

lock: bootstrap ## after a change of dependencies: uv.lock and requirements.txt anew
	$(BIN)/uv lock
	$(EXPORT) --output-file requirements.txt >/dev/null

bootstrap:
	@sh scripts/bootstrap.sh
