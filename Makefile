# Everything that is done with this repository, one target each. `make` alone lists them.
# Needs python3 (3.11 or newer), Node.js 20 with npm, and git; everything else is installed into .venv and node_modules.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
RESULTS := .results
FRONT_END := $(shell find src style schema -type f 2>/dev/null) package.json tsconfig.json
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
TESTS := lint types drift vitest docs-test labextension wheel binder-test offline pytest ui
# Bytecode is kept: tests start many processes, and none of them has to compile the package again.
unexport PYTHONDONTWRITEBYTECODE
# Those that wait for one processor most of the time run two at a time, long ones first; the others use all there is, or
# measure time.
TOGETHER := binder-test lint types wheel offline docs-test labextension drift
TWO_AT_A_TIME = $(MAKE) --no-print-directory --keep-going -j2 --output-sync=target PARALLEL=1

.DEFAULT_GOAL := help
ifndef PARALLEL
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.PHONY: help venv lab demo check unit test tally docs bench-setup clean all-tests together $(TESTS) $(UI_TRIPS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: ## set up .venv and node_modules, build the front end, link it into JupyterLab
	@$(TWO_AT_A_TIME) .stamps/front-end

lab: venv ## set up what is missing and open JupyterLab on examples/
	jupyter lab --notebook-dir=examples $(AS_ROOT)

demo: venv ## run the main job end to end in an empty folder: notebook cell, killed server, model, endpoint, scores
	python -m jupyter_mlstudio demo

check: .stamps/front-end ## lint, types and the fast tests: what to run before a commit
	@$(TWO_AT_A_TIME) vitest lint types
	@$(MAKE) --no-print-directory unit

test: ## run everything that CI runs, and count what passed
	@$(TWO_AT_A_TIME) .stamps/front-end .stamps/ui-node .stamps/snippets
	@rm -rf $(RESULTS)
	@$(MAKE) --no-print-directory --keep-going all-tests; status=$$?; \
	$(MAKE) --no-print-directory tally && exit $$status

docs: .stamps/python ## build the documentation into docs/_build/html; a warning is an error
	python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

bench-setup: .stamps/bench-mlflow .stamps/bench-mlserver .stamps/bench-bentoml .stamps/bench-flaml .stamps/bench-autogluon venv ## install the benchmarks' peers, each into an environment of its own
	@echo "python -m benchmarks lists the benchmarks"

clean: ## remove what was installed and built; workspaces (.mlstudio) stay
	rm -rf .venv .bench .stamps $(RESULTS) node_modules ui-tests/node_modules tests/snippets/node_modules lib *.tsbuildinfo dist docs/_build \
	  jupyter_mlstudio/labextension jupyter_mlstudio/static jupyter_mlstudio/_version.py

# --- set-up; a stamp says that it was done for the files it depends on

.stamps/venv:
	$(PYTHON) -m venv .venv
	@mkdir -p .stamps && touch $@

.stamps/node: package.json package-lock.json .npmrc
	npm ci --ignore-scripts
	@mkdir -p .stamps && touch $@

# What is needed comes beside what Node needs, and the package itself when both are there. Of all that is installed,
# little is ever imported: it is compiled when it is.
.stamps/packages: .stamps/venv pyproject.toml .ci/requirements.py
	python .ci/requirements.py test dev docs > .stamps/requirements.txt
	python -m pip install --quiet --no-compile -r .stamps/requirements.txt editables  # which hatchling asks for
	@touch $@

# An editable installation builds the front end when there is none yet.
.stamps/python: .stamps/packages .stamps/node pyproject.toml hatch_build.py
	@rm -f jupyter_mlstudio/labextension/install.json  # of an earlier installation: a wheel takes it once
	python -m pip install --quiet --no-compile --no-deps --no-build-isolation -e .
	@touch .stamps/node $@  # building the front end writes package-lock.json anew, as it was

.stamps/front-end: .stamps/python $(FRONT_END)
	@if [ -n "$$(find src style schema package.json -newer jupyter_mlstudio/labextension/package.json)" ]; \
	then npm run build; fi
	jupyter-builder develop . --overwrite
	@touch $@

.stamps/ui-node: ui-tests/package.json ui-tests/package-lock.json
	cd ui-tests && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts
	@mkdir -p .stamps && touch $@

.stamps/snippets: tests/snippets/package.json tests/snippets/package-lock.json
	cd tests/snippets && npm ci --ignore-scripts
	@mkdir -p .stamps && touch $@

.stamps/bench-%: Makefile
	$(PYTHON) -m venv --clear .bench/$*
	.bench/$*/bin/pip install --quiet $(PEER_$*)
	@mkdir -p .stamps && touch $@

PEER_mlflow := mlflow==3.17.2 scikit-learn
PEER_mlserver := mlserver==1.7.1 mlserver-sklearn==1.7.1 scikit-learn
PEER_bentoml := bentoml==1.4.39 scikit-learn
PEER_flaml := 'flaml[automl]==2.7.*' pyarrow
PEER_autogluon := 'autogluon.tabular[lightgbm,xgboost,catboost]==1.6.*' pyarrow

# --- the parts of `make test`; each leaves its result in .results, from which .ci/tally.py counts

all-tests: together $(filter-out $(TOGETHER),$(TESTS))

together:
	@$(TWO_AT_A_TIME) $(TOGETHER)

tally:
	@python .ci/tally.py $(RESULTS) $(TESTS)

lint: .stamps/front-end
	ruff check .
	ruff format --check .
	npm run --silent lint
	! grep -l '"resolved"' package-lock.json ui-tests/package-lock.json tests/snippets/package-lock.json
	@$(call passed)

types: .stamps/python
	mypy
	@$(call passed)

drift: .stamps/front-end
	@mkdir -p $(RESULTS)
	python -m jupyter_mlstudio openapi > $(RESULTS)/openapi.json
	diff -u jupyter_mlstudio/api/openapi.json $(RESULTS)/openapi.json
	npx --no-install openapi-typescript jupyter_mlstudio/api/openapi.json -o $(RESULTS)/schema.ts
	diff -u src/api/schema.ts $(RESULTS)/schema.ts
	@$(call passed)

vitest: .stamps/front-end
	npx --no-install vitest run --reporter=default --reporter=junit --outputFile.junit=$(RESULTS)/vitest.xml

# Schemathesis is a program for one of the slow tests, the longest, with which they begin; as a plugin it would only take
# seconds to be loaded. The slow tests of a module share a door or a server, so a module is one process's.
pytest: .stamps/front-end .stamps/snippets
	python -m pytest -q -n 2 --dist loadscope --no-loadscope-reorder -p no:schemathesis --junitxml=$(RESULTS)/pytest.xml \
	  tests/test_openapi.py tests

# The fast ones of them.
unit: .stamps/front-end
	python -m pytest -q -n 2 -m "not slow" -p no:schemathesis

docs-test: docs
	@$(call passed)

labextension: .stamps/front-end
	jupyter labextension list 2>&1 | grep -a 'jupyter_mlstudio.*enabled.*OK'
	jupyter server extension list 2>&1 | grep -a 'jupyter_mlstudio.*OK'
	@$(call passed)

wheel: .stamps/python
	.ci/clean-copy $(RESULTS)/wheel-source
	cd $(RESULTS)/wheel-source && python -m pip wheel --quiet --no-deps --wheel-dir ../dist .
	python .ci/check_wheel.py $(RESULTS)/dist/*.whl
	rm -rf $(RESULTS)/wheel-source
	@$(call passed)

binder-test: .stamps/python
	.ci/binder $(RESULTS)/binder
	@$(call passed)

# The demo on a machine without a network: nothing may even try to leave it.
offline: .stamps/front-end
	python .ci/offline.py $(RESULTS)/offline python -m jupyter_mlstudio demo

# The trips in parts, two at a time, each with a server of its own: a browser waits half of the time.
UI_TRIPS := ui-1 ui-2 ui-3 ui-base-url
ui: .stamps/front-end .stamps/ui-node
	@$(TWO_AT_A_TIME) $(UI_TRIPS)
	@$(call passed)

PLAYWRIGHT = cd ui-tests && MLS_TEST_PORT=$$(python ../.ci/free_port.py) PLAYWRIGHT_JUNIT_OUTPUT_FILE=../$(RESULTS)/$@.xml \
  npx --no-install playwright test --reporter=list,junit --output=test-results/$@

ui-1 ui-2 ui-3: .stamps/front-end .stamps/ui-node
	$(PLAYWRIGHT) --shard=$(@:ui-%=%)/3

ui-base-url: .stamps/front-end .stamps/ui-node
	$(PLAYWRIGHT) --config playwright.base-url.config.js

passed = mkdir -p $(RESULTS) && touch $(RESULTS)/$@.ok
