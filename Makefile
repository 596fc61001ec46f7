# Targets a person needs; each works on a bare clone with Python >= 3.11, make and a package index.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
TESTS ?= tests
# An editable install has no byte code, and where the shell forbids to write any, as in many
# containers (PYTHONDONTWRITEBYTECODE), every process would compile anew, a fifth of a second.
BYTE_CODE := $(BIN)/python -m compileall -q checkout_sim services

.PHONY: help install proxy run test check format bench mutants docs screenshots clean

help: ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## .venv with checkout-sim in .venv/bin, nothing outside it but byte code

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; call make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BYTE_CODE)
	touch $@

# The real toxiproxy-server is fetched or built once; without it the embedded one runs and says so.
proxy: $(STAMP)
	-$(BIN)/checkout-sim toxiproxy install

run: $(STAMP) proxy ## the core scenarios against every strategy, with a verdict on every order
	$(BIN)/checkout-sim run

# A worker that ends before its time ends the run, red and by the test's name: pytest-xdist's
# loadgroup would replace it and then wait for ever.
test: $(STAMP) proxy ## every test
	$(BIN)/python -m pytest -n 2 --dist loadgroup --max-worker-restart 0 $(TESTS)

check: $(STAMP) ## format, lint, types and the floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP) ## put the code in the house's shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

mutants: $(STAMP) proxy ## is the judge awake: every known-bad change must be caught, no sound order convicted
	$(BIN)/python -m tests.mutants --write

bench: $(STAMP) proxy ## figures beside their targets
	$(BYTE_CODE)
	$(BIN)/python -m tests.bench

docs: $(STAMP) screenshots ## docs/tui.md and its pictures, made from the program
	$(BIN)/python -m tests.tui.page

screenshots: $(STAMP) ## docs/images/tui-*.svg, drawn by the dashboard itself
	$(BIN)/python -m tests.tui.gallery

clean: ## remove what was made, archived runs included
	rm -rf .venv .checkout-sim .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
