# `make demo` and `make test` install all they need. `make help` lists the other commands.

PYTHON ?= python3
EXTRAS := local,bench,test,check,docs
BENCH ?= --small --to build/bench
PLOTTED := end-to-end-2m end-to-end paging memory scale
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest --no-fold-skipped --durations=15 $(PYTEST_OPTIONS)
# Options that come later override earlier ones: PYTEST_OPTIONS='-n 0 --pdb' runs the quick tests in one process.
QUICK = $(BIN)/python -m pytest --no-fold-skipped --durations=15 --numprocesses logical $(PYTEST_OPTIONS)
LARGE := $(patsubst %,tests/fault/test_%.py,circuit_breaker wide_rows kill pressure)
STARTS_SERVERS := $(patsubst %,tests/integration/%.py,cli/test_demo_sqlite sink/test_elasticsearch_8 sandbox/test_registry \
	sandbox/test_servers sink/test_privileges cli/test_secrets source/test_secured sink/test_secured)
ARTIFACTS := .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

.DEFAULT_GOAL := help
.PHONY: help install demo ha quick test check fault bench docs pictures clean

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

install: .venv/installed ## make .venv with every extra, as pinned in constraints.txt

# The stamp is newer than both files until one of them changes, so that a second run does nothing.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is required; set PYTHON to its path.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: install ## start what is missing, load sample logs, reindex them, search
	$(BIN)/indexer demo

ha: install ## start three CrateDB nodes and kill one during a reindex, which still completes
	$(BIN)/python -m bench ha

# Three groups run concurrently, two of them on servers of their own: most attacks wait for servers to fail and recover;
# LARGE ones move many rows and wait for nothing; other tests mostly start short commands. Exit code 5, of a group in which
# PYTEST_OPTIONS select no test, is not a failure. A shell handles a signal only while it waits, so all groups run in the
# background; Ctrl-C and a closed terminal reach them directly, other signals are passed on.
test: install ## every test; tests that cannot run on this machine are skipped, with the reason
	@mkdir -p build; \
	$(PYTEST) --own-servers tests/fault $(LARGE:%=--ignore %) >build/attacks.txt 2>&1 & jobs=$$!; \
	$(PYTEST) --own-servers $(LARGE) $(STARTS_SERVERS) >build/large-attacks.txt 2>&1 & jobs="$$jobs $$!"; \
	$(PYTEST) --ignore tests/fault $(STARTS_SERVERS:%=--ignore %) --cov --cov-report=term & jobs="$$! $$jobs"; \
	trap 'trap "" INT HUP; wait; exit 130' INT HUP; \
	trap 'trap "" TERM; kill $$jobs; wait; exit 143' TERM; \
	failed=0; \
	for job in $$jobs; do wait $$job || test $$? -eq 5 || failed=1; done; \
	cat build/attacks.txt build/large-attacks.txt; \
	exit $$failed

quick: install ## unit and property tests, without a server, in under a minute
	$(QUICK) tests/unit tests/property

fault: install ## the attacks alone: tests that break things on purpose, with a table of the results
	$(PYTEST) --own-servers tests/fault

check: install docs ## style, types, the rooms' contract, and the documentation's links
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## every benchmark, small, with a report in build/bench; BENCH='--to FOLDER' is the full run
	$(BIN)/python -m bench all $(BENCH)

docs: install ## build the documentation into build/site, strictly
	$(BIN)/zensical build --clean --strict
	$(BIN)/python docs/.site/check_links.py build/site

pictures: install ## draw docs/assets: plots of the runs in bench/results, and searches of what `make demo` indexed
	$(BIN)/python -m bench report $(PLOTTED:%=bench/results/%.json) --to build/bench/report.html --plots docs/assets
	$(BIN)/python -m bench.report.terminal_picture

clean: ## stop the local servers, remove build files and the contents of the cache folder
	@if [ -x $(BIN)/indexer ]; then $(BIN)/indexer down --clean; fi
	rm -rf .venv $(ARTIFACTS)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
