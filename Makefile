# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
EXTRAS := local,bench,test,check,docs
BENCH ?= --small --to build/bench
PLOTTED := end-to-end-2m end-to-end paging memory scale
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest --no-fold-skipped --durations=15 $(PYTEST_OPTIONS)
LARGE := $(patsubst %,tests/fault/test_%.py,circuit_breaker wide_rows kill pressure)
STARTING := $(patsubst %,tests/integration/%.py,cli/test_demo_sqlite sink/test_elasticsearch_8 sandbox/test_registry \
	sandbox/test_servers sink/test_privileges cli/test_secrets source/test_secured sink/test_secured)
MADE := .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

.DEFAULT_GOAL := help
.PHONY: help install demo ha quick test check fault bench docs pictures clean

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
	$(BIN)/python -m bench ha

# Three groups at once, two of them on servers of their own: attacks mostly wait for servers to fail and to come back, but
# for some that move many rows and wait for nobody; most other tests start short commands. A group of which PYTEST_OPTIONS
# leave nothing (5) is fine. A shell hears a signal only while it waits, so all three are started and then waited for;
# Ctrl-C and a closed terminal reach them without it.
test: install ## every test; what cannot run here is skipped by name, with the reason
	@mkdir -p build; \
	$(PYTEST) --own-servers tests/fault $(LARGE:%=--ignore %) >build/attacks.txt 2>&1 & jobs=$$!; \
	$(PYTEST) --own-servers $(LARGE) $(STARTING) >build/large-attacks.txt 2>&1 & jobs="$$jobs $$!"; \
	$(PYTEST) --ignore tests/fault $(STARTING:%=--ignore %) --cov --cov-report=term & jobs="$$! $$jobs"; \
	trap 'trap "" INT HUP; wait; exit 130' INT HUP; \
	trap 'trap "" TERM; kill $$jobs; wait; exit 143' TERM; \
	failed=0; \
	for job in $$jobs; do wait $$job || test $$? -eq 5 || failed=1; done; \
	cat build/attacks.txt build/large-attacks.txt; \
	exit $$failed

quick: install ## unit and property tests, without a server, in under a minute
	$(PYTEST) tests/unit tests/property

fault: install ## only the tests that break things on purpose, and the table of what they tried
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

clean: ## stop the local servers and remove what was made, the cache folder's contents too
	@if [ -x $(BIN)/indexer ]; then $(BIN)/indexer down --clean; fi
	rm -rf .venv $(MADE)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
