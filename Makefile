# make demo     the story of 2014, in ./demo          make test       everything the machine can run
# make test-slow  campaigns that take minutes         make bench      speed and memory, as ratios of one run
# make checker    dist/disclosure-check.pyz, one file with which a clerk checks a return before sending it
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow bench lint lock checker clean
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

# One file with all that `check` needs, for a machine that has Python and nothing else. Its compiled parts are for one Python
# and system: by default these here; for another, make checker PLATFORM=win_amd64 PYTHON_VERSION=3.12.
PIP_TARGET := --quiet --disable-pip-version-check --no-compile --target build/checker
# (pip asks this machine, not the one named, what applies on Windows; so those conditions are taken off.)
WINDOWS_TOO := $(if $(filter win%,$(PLATFORM)),s/ ; [^\\]*sys_platform == .win32.//)
MADE_FOR := $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PYTHON_VERSION),--python-version $(PYTHON_VERSION))
CHECKER := dist/disclosure-check$(if $(strip $(MADE_FOR)),-$(or $(PYTHON_VERSION),py)-$(or $(PLATFORM),here)).pyz

checker: .venv/.ready-dev
	rm -rf build/checker && mkdir -p build dist
	sed "$(WINDOWS_TOO)" requirements-checker.txt > build/requirements-checker.txt
	$(BIN)/pip install $(PIP_TARGET) --only-binary :all: --require-hashes $(MADE_FOR) -r build/requirements-checker.txt
	$(BIN)/pip install $(PIP_TARGET) --no-deps --no-build-isolation .
	# Scripts and records of where it was built say this machine's paths; tests of libraries are half of their size.
	rm -rf build/checker/bin build/checker/*/tests build/checker/numpy/*/tests
	rm -f build/checker/*.dist-info/direct_url.json build/checker/*.dist-info/RECORD
	$(BIN)/shiv --site-packages build/checker --entry-point flows.checker_start:run --reproducible --output-file $(CHECKER)
	@ls -l $(CHECKER)

# The lock files: hashes and no addresses, for every Python from 3.11 on. Needs uv.
lock:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --quiet --output-file requirements.txt
	uv pip compile pyproject.toml --extra sources --group build --group dev --constraint requirements.txt --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	  --output-file requirements-dev.txt
	uv pip compile --group checker --constraint requirements.txt --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --output-file requirements-checker.txt

clean:
	rm -rf .venv demo build dist
