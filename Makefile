# Two commands are enough: `make run` and `make test`. All create the environment in .venv first; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# The exact versions to install, or CONSTRAINTS=/dev/null for the newest; OPTUNA=5.0.0 for another Optuna than theirs.
CONSTRAINTS ?= constraints.txt
OPTUNA ?=
PIP = $(BIN)/pip install --quiet --disable-pip-version-check

# ARGS="-k postgresql" and the like choose among the tests.
ARGS ?=
TESTS = -n auto --dist loadfile --no-loadscope-reorder --ignore tests/benchmarks $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help run example test test-long coverage check lint format types settings terminal build bench bench-dashboard \
	bench-samplers bench-storage chaos image-test clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

run: $(VENV)/installed ## everything once, on synthetic faces
	$(BIN)/agesearch run

# With a network and a space of their own: a minute or two.
example: runs/digits/digits.h5 ## the same on handwritten digits
	$(BIN)/agesearch run --config examples/digits/agesearch.toml

runs/digits/digits.h5: | $(VENV)/installed
	$(BIN)/python examples/digits/images.py runs/digits/images
	$(BIN)/agesearch data build runs/digits/images/labels.csv --size 8 --unit digits --out $@

# As many tests at a time as there are cores.
test: $(VENV)/installed ## the tests
	$(BIN)/python -m pytest $(TESTS)

# Branches and lines, also of the processes that tests start.
coverage: $(VENV)/installed ## the tests, and which branches they cover
	$(BIN)/python -m pytest $(TESTS) --cov --cov-report=term-missing:skip-covered

# What takes minutes, or is timed and needs all cores: the short forms of the benchmarks, two hundred and more kills, a Ray
# cluster that loses a node, every experiment, another problem.
test-long: $(VENV)/installed ## what takes minutes
	$(BIN)/python -m pytest tests/benchmarks
	$(BIN)/python -m pytest -m slow

check: lint types test ## lint, types and tests

lint: $(VENV)/installed ## style, and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed ## format the code, and repair what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/installed ## types
	$(BIN)/mypy

settings: $(VENV)/installed ## write docs/settings.md and .env.example
	$(BIN)/python -m search.settings.table docs/settings.md .env.example

terminal: $(VENV)/installed ## record the README's search, docs/terminal.svg
	$(BIN)/python docs/record_terminal.py

build: $(VENV)/installed ## a wheel and a source archive, in dist/
	$(BIN)/python -m build --outdir dist .

# On the built-in faces, or `make bench DATA=faces.h5`; about 20 minutes on 2 cores.
DATA ?= runs/bench/synthetic.h5

bench: $(VENV)/installed-bench $(DATA) runs/bench/small.h5 ## the race against a plain loop and KerasTuner
	$(BIN)/python tests/benchmarks/race.py --data $(DATA) --out runs/bench/race.json
	$(BIN)/python tests/benchmarks/growth.py --data $(DATA) --small runs/bench/small.h5 --out runs/bench/growth.json

# What looking costs: the opening of a study of 5,000 trials, and a search with and without 20 clients in turns; 15 minutes.
# On a machine with nothing else to do; ARGS="--only opening", ARGS="--images 500 --epochs 5 --window 900" and the like.
bench-dashboard: $(VENV)/installed $(DATA) ## what browsing costs
	PYTHONPATH=. $(BIN)/python tests/benchmarks/dashboard.py --data $(DATA) --out runs/bench/dashboard.json $(ARGS)

# What each sampler brings: searches on a surrogate of the trials in RECORDED, a table with the columns learning_rate, l2 and
# score; or of a study's, with SOURCE="--storage sqlite:///runs/study.db --study age". Some 10 minutes for 50 searches.
RECORDED ?= runs/bench/trials.csv
SOURCE ?= --recorded $(RECORDED)

bench-samplers: $(VENV)/installed ## what each sampler brings
	PYTHONPATH=. $(BIN)/python tests/benchmarks/samplers.py $(SOURCE) --out runs/bench/samplers

# What a trial costs the storage: one worker and many, small studies and large ones, SQLite and PostgreSQL; 15 minutes.
# ARGS="--before ../before" has the code of another checkout take turns, ARGS="--only one" and the like do a part.
bench-storage: $(VENV)/installed ## what a trial costs the storage
	PYTHONPATH=. $(BIN)/python tests/benchmarks/storage.py --out runs/bench/storage.json $(ARGS)

# Kills, stops and misleads workers for ten minutes, or `make chaos MINUTES=60 SEED=7`; prints what was survived.
MINUTES ?= 10
SEED ?= 1

chaos: $(VENV)/installed ## kill workers for ten minutes, and count
	$(BIN)/python -m tests.integration.chaos --minutes $(MINUTES) --seed $(SEED)

runs/bench/synthetic.h5: | $(VENV)/installed
	$(BIN)/agesearch data build synthetic --out $@

runs/bench/small.h5: | $(VENV)/installed
	$(BIN)/agesearch data build synthetic --images 64,64,2 --out $@

# Builds the image and runs everything in it; as root, after `apt-get install buildah debootstrap`. About 20 minutes.
image-test: $(VENV)/installed ## build the container image and run it
	PYTHONPATH=. $(BIN)/python tests/image/check.py

$(VENV)/installed-bench: $(VENV)/installed
	$(PIP) -c $(CONSTRAINTS) -e '.[dev,bench]'
	touch $@

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c $(CONSTRAINTS) -e '.[dev]'
	$(if $(OPTUNA),$(PIP) --upgrade 'optuna==$(OPTUNA)')
	touch $@

clean: ## remove the environment and caches
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
