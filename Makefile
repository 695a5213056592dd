# `make briefings` does the whole job and `make test` checks it, each from nothing but Python and make.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
UV_VERSION := 0.13.9
READY := $(VENV)/.ready
RUN := $(VENV)/bin/
WORKERS ?=
LAB ?=

# Bytecode is compiled once by uv; without it every kernel parses pandas, SciPy and matplotlib anew.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
# Under an ASCII locale Python cannot read its own environment in a folder like "städte".
ifneq ($(shell locale charmap 2>/dev/null),UTF-8)
export LC_ALL := C.UTF-8
endif
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
# The processes of a batch share the cores; threads inside each would only fight for them.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help setup briefings test lab bench simulate check format lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the environment from the lock file

briefings: $(READY) ## a briefing in HTML and PDF for every authority, under reports/_site
	@$(RUN)evidence briefings --all $(if $(WORKERS),--workers $(WORKERS))

test: $(READY) ## run all tests but the slow simulations
	@$(RUN)python -m pytest -n auto --dist loadgroup -m "not slow"

lab: $(READY) ## open JupyterLab with the briefing notebook ready to run (LAB="--no-browser" adds options)
	@$(RUN)jupyter lab $(LAB) notebooks/briefing.ipynb

bench: $(READY) build/peers ## compare speed with peers, as ratios in one run
	@for file in benchmarks/bench_*.py; do echo "== $$file"; \
	PYTHONPATH=build/peers $(RUN)python "$$file" || exit 1; done

# Apart from the environment, so that nothing else can come to need them.
build/peers: benchmarks/peers.txt $(READY)
	@uv=$$(command -v uv || echo $(VENV)/uv/bin/uv); rm -rf $@; \
	"$$uv" pip install --quiet --no-deps --target $@ -r $<; touch $@

simulate: $(READY) ## run the slow simulations (coverage of intervals)
	@$(RUN)python -m pytest -n auto -m slow

check: $(READY) ## lint, format, types and layers
	@$(RUN)ruff check . && $(RUN)ruff format --check . && $(RUN)mypy && $(RUN)lint-imports

format: $(READY) ## format the code and mend what ruff can mend
	@$(RUN)ruff check --fix . ; $(RUN)ruff format .

lock: $(READY) ## renew uv.lock after a change to pyproject.toml
	@$(VENV)/uv/bin/uv lock 2>/dev/null || uv lock

clean: ## delete what was built, keep the environment
	rm -rf build reports/_site .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis

# uv from PATH when there is one, else a pinned uv in an environment of its own inside .venv. Debian's
# python3 can lack ensurepip (package python3-venv): then virtualenv, then `pip --user`, are tried.
$(READY): pyproject.toml uv.lock Makefile
	@PYTHON="$(PYTHON)" VENV="$(VENV)" UV_VERSION="$(UV_VERSION)" sh tools/bootstrap.sh
	@touch $@
