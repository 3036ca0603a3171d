# Two commands need nothing but git, make and python3 (3.11 to 3.13) with venv:
#   make demo        set up, start the service with synthetic patients, show a card, keep serving
#   make test        set up, run the tests
# For contributors:
#   make lint types check   style, types, clinical content
#   make cover              the tests with branch coverage: 100 % of core and content is asked for
#   make properties         the property tests with 500 examples each
#   make properties-new     the same with other examples at each run: finds what the fixed ones do not
#   make sheets             write the review sheets and the tables of the README from the rules and settings
#   make hapi               start the FHIR test server with the synthetic patients (Java 17, Maven, curl)
#   make hapi-test          the tests that need it        make hapi-stop   stop it
#   make setup-ci           install what only continuous integration needs (requirements-ci.lock)
#   make browser            the pages in a real browser (Chromium)
#   make screenshots        the same, with pictures of every page in var/screenshots
#   make shipping           compose, Kubernetes, alerts and proxy (nginx, promtool, kustomize or kubectl)
#   make replay             the Dockerfile's steps and the image's run without an engine (root, debootstrap)
#   make fuzz               20,000 fuzzed bodies in this process; a seed of its own each night with SEED=...
#   make fuzz-tests         the same through Hypothesis, which shrinks what it finds: 20,000 for each kind of change
#   make defences           take each defence away, one by one: its test must notice
#   make bandit             findings of bandit that the code does not answer
#   make audit              known vulnerabilities of the locked libraries (needs a vulnerability service)
#   make sbom               software bill of materials (CycloneDX) in dist/
#   make bench              the benchmark                 make bench-peers  the peers it is compared with
#   make bench-gate         the ratios that continuous integration watches
#   make bench-record       maintainers: all of it, into benchmarks/results, gate.json and docs/performance.md
#   make soak               ten minutes of load while things fail (PostgreSQL's programs); MINUTES=1 for a look
#   make nightly            fuzz-tests, properties-new, defences and soak: together about an hour and a half
#   make lock               rewrite requirements.lock (maintainers, needs uv)
#   make ci                 everything, as continuous integration runs it
#   make clean              remove what was built or downloaded; records in var/ stay
PYTHON ?= python3
HAPI_PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
HAPI := http://127.0.0.1:$(HAPI_PORT)/fhir

# Test files run side by side on so many processes.
JOBS ?= 2
MINUTES ?= 10
SEED ?= 1

.PHONY: demo test cover properties properties-new setup setup-ci lint types check sheets hapi hapi-stop hapi-test browser screenshots shipping replay fuzz fuzz-tests defences bandit audit sbom bench bench-peers bench-gate bench-record soak lock nightly ci clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	    "This needs Python 3.11, 3.12 or 3.13, for example: make test PYTHON=python3.12")'
	@begun=$$(date +%s); set -e; \
	echo "Setting up $(VENV) (once; needs a connection to a Python package index) ..."; \
	$(PYTHON) -m venv $(VENV); \
	$(PIP) --require-hashes --only-binary :all: -r requirements.lock; \
	$(PIP) --no-deps --no-build-isolation --editable .; \
	touch $@; \
	echo "Set up in $$(($$(date +%s) - begun)) s."

setup-ci: $(VENV)/.ready-ci

$(VENV)/.ready-ci: $(VENV)/.ready requirements-ci.lock
	@$(PIP) --require-hashes --only-binary :all: -r requirements-ci.lock
	@touch $@

demo: setup
	$(BIN)/cds-service demo

test: setup
	@begun=$$(date +%s); status=0; $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile || status=$$?; \
	echo "make test took $$(($$(date +%s) - begun)) s."; exit $$status

# Without the suites that only drive processes, servers and pages: they add minutes and no line of the core.
COVER_WITHOUT := properties operations trust fuzz governance smart wire conform store clients browser shipping benchmarks

cover: setup
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --cov --cov-report=term $(COVER_WITHOUT:%=--ignore=tests/%)

properties: setup
	CDS_TEST_EXAMPLES=500 $(BIN)/python -m pytest -q tests/properties

properties-new: setup
	CDS_TEST_EXAMPLES=500 CDS_TEST_RANDOM=1 $(BIN)/python -m pytest -q tests/properties

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

check: setup
	$(BIN)/cds-service check

sheets: setup
	$(BIN)/cds-service export catalogue
	$(BIN)/cds-service export sheets
	$(BIN)/python tests/test_docs.py
	$(BIN)/python scripts/make_quirks.py
	$(BIN)/python tests/conform/test_conformance_page.py
	PYTHONPATH=tests $(BIN)/python tests/wire/test_api_examples.py
	$(BIN)/python tests/trust/test_trust_page.py

hapi: setup
	sh tests/hapi/serve.sh start $(HAPI_PORT)
	$(BIN)/python scripts/load_fixtures.py $(HAPI)

hapi-stop:
	sh tests/hapi/serve.sh stop $(HAPI_PORT)

hapi-test: hapi
	CDS_TEST_HAPI=$(HAPI) $(BIN)/python -m pytest -q -m hapi

browser: setup-ci
	$(BIN)/python -m pytest -q -m browser

screenshots: setup-ci
	CDS_TEST_SCREENSHOTS=var/screenshots $(BIN)/python -m pytest -q -m browser tests/browser/test_browser_pages.py

shipping: setup-ci
	$(BIN)/python -m pytest -q tests/shipping

replay:
	$(PYTHON) scripts/replay_dockerfile.py var/replay

fuzz: setup
	$(BIN)/python scripts/fuzz.py --bodies 20000 --seed $(SEED)

fuzz-tests: setup
	CDS_TEST_EXAMPLES=20000 $(BIN)/python -m pytest -q tests/fuzz

defences: setup
	$(BIN)/python scripts/defences.py

bandit: setup-ci
	$(BIN)/python scripts/bandit_answers.py

audit: setup-ci
	$(BIN)/python scripts/audit.py

sbom: setup-ci
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
	    --output-file dist/sbom.cdx.json

bench: setup-ci
	$(BIN)/python -m benchmarks --json var/bench/results.json --figure var/bench/growth.svg

bench-peers: setup-ci
	sh benchmarks/peers/install.sh
	$(BIN)/python -m benchmarks peers --json var/bench/peers.json

bench-gate: setup-ci
	$(BIN)/python -m benchmarks.gate

# A bar that is not met is a line of the page, not a reason to stop.
bench-record: setup-ci
	-sh benchmarks/peers/install.sh
	-$(BIN)/python -m benchmarks --json benchmarks/results/bench.json --figure docs/images/growth.svg
	-$(BIN)/python -m benchmarks peers --json benchmarks/results/peers.json
	$(BIN)/python -m benchmarks.gate --record
	$(BIN)/python -m benchmarks.page

soak: setup
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

lock:
	sh scripts/lock.sh

nightly: fuzz-tests properties-new defences soak

ci:
	.ci/run

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist tests/hapi/target
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
