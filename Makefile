# make run · make test · make lint · make bench · make format
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := run
# Compiled modules halve the import of a framework, and the confined children cannot write them: they are compiled
# when they are installed, and stay compiled whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: run test lint format bench environment tools FORCE

run: $(VENV)/installed
	@exec $(BIN)/python manage.py portal

test: $(VENV)/installed-dev
	@sh tests/system-packages.sh
	@exec $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html')

bench: $(VENV)/installed-dev
	@exec $(BIN)/python -m bench

# What is installed lies in the environment as a copy of its pins, and is compared: in a fresh clone every file is young.
$(VENV)/installed: FORCE
	@cmp -s requirements.txt $@ || $(MAKE) --no-print-directory environment

$(VENV)/installed-dev: $(VENV)/installed FORCE
	@cmp -s requirements-dev.txt $@ || $(MAKE) --no-print-directory tools

environment:
	@echo "Installing the environment in $(VENV) (8 GB; some minutes the first time) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -r requirements.txt
	@cp requirements.txt $(VENV)/installed

tools:
	@echo "Installing the tools for tests …"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -r requirements-dev.txt
	@cp requirements-dev.txt $(VENV)/installed-dev
