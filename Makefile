# make demo     the story of 2014, in ./demo          make test       everything the machine can run
# make test-slow  campaigns that take minutes         make bench      speed and memory, as ratios of one run
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow bench lint lock clean
.DELETE_ON_ERROR:

demo: .venv/.ready
	$(BIN)/disclosure-etl demo demo

# Two at a time, each file in one process: files share what takes long to set up. The long ones are at the front.
test: .venv/.ready-dev
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: .venv/.ready-dev
	$(BIN)/python -m pytest -m slow

bench: .venv/.ready-dev
	$(BIN)/python -m tests.bench

lint: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed (set PYTHON=...)"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/.ready: requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: requirements-dev.txt .venv/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# The lock files: hashes and no addresses, for every Python from 3.11 on. Needs uv.
lock:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --quiet --output-file requirements.txt
	uv pip compile pyproject.toml --extra sources --group build --group dev --constraint requirements.txt --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	  --output-file requirements-dev.txt

clean:
	rm -rf .venv demo build dist
