# `make` alone lists the targets.
PROFILE ?= quick
VENV := .venv
BIN := $(VENV)/bin
STRUCTURE := results/structure_vs_performance
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help reproduce p-sweep structure study study-quick connectomes grown todays-means hardware figures bench docs audit walk test lowest atlas attack gpu network check \
    lint types contracts clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

reproduce: $(VENV)/.installed ## the paper's networks (PROFILE=quick, with two more; or paper, in hours)
	$(BIN)/python analysis/reproduce.py --profile $(PROFILE)

# All three go on where they were stopped, and train only what is not in their stores yet.
p-sweep: $(VENV)/.installed ## figure 5, error and corrections against p: trains 72 networks, takes hours
	$(BIN)/smallworld-eqprop sweep analysis/studies/p_sweep_5x100.toml
	$(BIN)/smallworld-eqprop sweep analysis/studies/p_sweep_3x500.toml
	$(BIN)/python analysis/collect_p_sweep.py runs/p_sweep_5x100.sqlite runs/p_sweep_3x500.sqlite
	$(BIN)/python figures/figure5.py --out docs/figures

structure: $(VENV)/.installed ## whether structure predicts training: trains 150 networks, in an hour or two
	$(BIN)/smallworld-eqprop sweep analysis/studies/structure_vs_performance.toml
	$(BIN)/smallworld-eqprop export runs/structure_vs_performance.sqlite --out $(STRUCTURE)
	$(BIN)/python analysis/metrics_vs_performance.py $(STRUCTURE)/runs.csv \
	    --out $(STRUCTURE) --figures docs/figures
	$(BIN)/python analysis/seed_noise.py $(STRUCTURE)/runs.csv \
	    --out $(STRUCTURE) --figures docs/figures

study: $(VENV)/.installed ## the large study, docs/study-design.md: trains in days what its tables lack, prints what is left
	$(BIN)/python analysis/large_study.py --skip results/large_study
	[ ! -e runs/large_study.sqlite ] || \
	    $(BIN)/smallworld-eqprop export runs/large_study.sqlite --out results/large_study --add
	$(BIN)/python analysis/large_study_results.py

study-quick: $(VENV)/.installed ## three networks of it, one short epoch by every recipe
	$(BIN)/python analysis/large_study.py --quick

connectomes: $(VENV)/.installed ## two connectomes beside their nulls: trains 1956 small networks, in hours
	$(PIP_INSTALL) --no-deps graspologic tvb-data
	$(BIN)/python analysis/connectomes.py
	$(BIN)/smallworld-eqprop sweep analysis/studies/fly_nulls.toml
	$(BIN)/smallworld-eqprop sweep analysis/studies/brain_nulls.toml
	$(BIN)/python analysis/connectome_nulls.py
	$(BIN)/python figures/connectome_panels.py --out docs/figures
	for study in brain_tasks fly_tasks; do \
	    $(BIN)/smallworld-eqprop sweep analysis/studies/$$study.toml --store runs/connectome_tasks.sqlite || exit; \
	done
	$(BIN)/smallworld-eqprop export runs/connectome_tasks.sqlite --out results/connectome_tasks
	$(BIN)/python analysis/connectome_tasks.py

grown: $(VENV)/.installed ## structure that training chooses: trains 78 networks, in an hour or two
	$(BIN)/smallworld-eqprop sweep analysis/studies/grown.toml
	$(BIN)/smallworld-eqprop export runs/grown.sqlite --out results/grown
	$(BIN)/python figures/growing.py --out docs/figures

todays-means: $(VENV)/.installed ## the paper's figures 3 to 5 with weak feedback and Adam: trains 108 networks, in an hour or two
	for study in todays_means todays_curves; do \
	    $(BIN)/smallworld-eqprop sweep analysis/studies/$$study.toml && \
	    $(BIN)/smallworld-eqprop export runs/$$study.sqlite --out results/$$study && \
	    $(BIN)/python figures/$$study.py --out docs/figures || exit; \
	done

BITS := hardware_bits hardware_bits_factors hardware_bits_seeds
hardware: $(VENV)/.installed ## how many bits a device needs: trains 476 networks, in two hours
	for study in $(BITS); do \
	    $(BIN)/smallworld-eqprop sweep analysis/studies/$$study.toml --store runs/hardware_bits.sqlite || exit; \
	done
	$(BIN)/smallworld-eqprop export runs/hardware_bits.sqlite --out results/hardware_bits
	$(BIN)/python analysis/bits.py
	$(BIN)/python figures/hardware_bits.py --out docs/figures
	$(BIN)/smallworld-eqprop sweep analysis/studies/hardware_anchor.toml
	$(BIN)/smallworld-eqprop export runs/hardware_anchor.sqlite --out results/hardware_anchor

figures: $(VENV)/.installed ## redraw all figures and table 1 from results/, without training
	@status=0; for script in figures/figure*.py figures/time_to_error.py figures/connectome_panels.py \
	    figures/wiring.py figures/hardware_bits.py figures/growing.py figures/todays_means.py \
	    figures/todays_curves.py figures/large_study_end.py \
	    figures/large_study_agreement.py; do \
	    $(BIN)/python $$script --out docs/figures || status=1; done; \
	for script in large_study_results connectome_tasks; do \
	    $(BIN)/python analysis/$$script.py > /dev/null || status=1; done; \
	$(BIN)/python analysis/table1.py || status=1; exit $$status

bench: $(VENV)/.installed ## speed and memory, as ratios within one run
	$(BIN)/python benchmarks/bench.py

docs: $(VENV)/.installed-docs ## the documentation, into site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

audit: docs ## faults of accessibility on every page of the documentation; needs Chromium
	$(PIP_INSTALL) --editable '.[audit]'
	$(BIN)/python docs/audit.py site

walk: $(BIN)/python ## follow README and tutorials, from a wheel in a fresh environment elsewhere
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && python=$$folder/bin/python && \
	$(BIN)/python -m venv $$folder && \
	$$python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $$folder . && \
	$$python -m pip install --quiet --disable-pip-version-check $$folder/*.whl && \
	cd $$folder && $$python $(CURDIR)/docs/walk.py $(PAGES)

# Tests start hundreds of processes, each of which would compile every module where byte code is not kept.
test: $(VENV)/.installed-test ## the tests, without network
	OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not network"

# Compiled code is kept apart: numba discards what another version of it has compiled.
LOWEST := .venv-lowest
LOWEST_TESTS := tests/cli/test_every_command.py tests/cli/test_help.py tests/test_public_names.py \
    tests/graphs/convert/test_io.py tests/learning/test_estimator.py tests/figures/test_figures_1_and_2.py
lowest: $(VENV)/.installed-test ## every command with the oldest libraries that pyproject.toml allows: minutes
	$(BIN)/python -m venv --clear --without-pip $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct '.[test]'
	NUMBA_CACHE_DIR=$(CURDIR)/$(LOWEST)/numba OPENBLAS_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -q \
	    -o filterwarnings=default --disable-warnings -m "not network" $(LOWEST_TESTS)

atlas: $(VENV)/.installed-test ## every measure and null model on all graphs of up to seven nodes: long
	ATLAS_NODES=7 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 \
	    tests/graphs/test_atlas.py tests/graphs/test_atlas_counterparts.py

attack: $(VENV)/.installed-test ## kill runs, damage configurations, files and command lines; half an hour, ATTACK="files --seed 1"
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests/studies:tests/cli $(BIN)/python tests/attack $(ATTACK)

gpu: $(VENV)/.installed-gpu ## the tests of the engine on torch, without a card; TORCH=torch==2.13.0 picks a release
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m torch tests

network: $(VENV)/.installed-test ## the tests that fetch data
	$(BIN)/python -m pytest -q -m network

check: lint types contracts ## what pre-commit runs

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

contracts: $(VENV)/.installed-test
	$(BIN)/lint-imports

clean: ## remove the environment and the caches, keep the runs
	rm -rf $(VENV) $(LOWEST) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# The first Python that runs and is new enough.
$(BIN)/python:
	@for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "creating $(VENV) with $$python"; $$python -m venv $(VENV) && exit 0; rm -rf $(VENV); exit 1; \
	    fi; \
	done; \
	echo "no Python 3.11 or newer found: install python3.11 and run make again" >&2; exit 1

# Editable installs, repeated only when the metadata change.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable '.[test]'
	$(PIP_INSTALL) --no-deps c302 # a tutorial reads its data; what it needs for simulations is large
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-gpu: $(VENV)/.installed-test
	$(PIP_INSTALL) $(TORCH) --editable '.[test,gpu]'
	@touch $@

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable '.[docs]'
	@touch $@ $(VENV)/.installed
