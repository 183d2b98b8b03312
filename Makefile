# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
EXTRAS := local,bench,test,check
BENCH ?= --small --to build/bench
BIN := .venv/bin
ATTACKS = $(BIN)/python -m pytest --no-fold-skipped --own-servers tests/fault $(PYTEST_OPTIONS)
MADE := .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

.DEFAULT_GOAL := help
.PHONY: help install demo ha test check fault bench docs clean

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

install: .venv/installed ## make .venv with every extra, as pinned in constraints.txt

# The stamp is newer than both files for as long as nothing changed, so that a second run costs nothing.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: set PYTHON to one.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: install ## start what is missing, load sample logs, reindex them, search
	$(BIN)/indexer demo

ha: install ## three CrateDB nodes; one is killed in the middle of a reindex, which ends complete
	$(BIN)/python -m bench.ha

# The attacks mostly wait for servers to fail and to come back, so they run beside the others, on servers of their own.
test: install ## every test; what cannot run here is skipped by name, with the reason
	@mkdir -p build
	@$(ATTACKS) >build/attacks.txt 2>&1 & attacks=$$!; \
	trap 'kill $$attacks' INT TERM; \
	$(BIN)/python -m pytest --no-fold-skipped --ignore tests/fault --cov --cov-report=term $(PYTEST_OPTIONS); others=$$?; \
	echo 'The attacks of tests/fault may take some minutes more.'; \
	wait $$attacks; attacks=$$?; cat build/attacks.txt; \
	test $$others -eq 0 -a $$attacks -eq 0

fault: install ## only the tests that break things on purpose, and the table of what they tried
	$(ATTACKS)

check: install ## style, types and the rooms' contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## every benchmark, small, with a report in build/bench; BENCH='--to build/full' for hours of it
	$(BIN)/python -m bench all $(BENCH)

docs: install ## draw docs/: searches of what `make demo` indexed, plots of the runs that are kept in bench/results
	$(BIN)/python -m bench.pictures
	$(if $(wildcard bench/results/*.json),$(BIN)/python -m bench report bench/results/*.json --to build/bench/report.html --plots docs)

clean: ## stop the local servers and remove what was made, the cache folder's contents too
	@if [ -x $(BIN)/indexer ]; then $(BIN)/indexer down --clean; fi
	rm -rf .venv $(MADE)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
