# What a clone can do. Everything is installed into .venv here, from pinned versions, and nowhere else.
#   make demo   compare the approaches on a shipped data set, ending with the verdict and the report's path
#   make test   the linters and the tests       make lint   the linters alone
#   make test-slow   twenty tests that take seconds each and have a quicker neighbour in make test
#   make test-oldest   a quick part of the tests with the oldest versions that pyproject.toml allows, in .venv/oldest; a few minutes
#   make check-estimators   scikit-learn's checks of all estimators with their default parameters, which takes minutes more
#   make calibrate  the verdict's error rates on tables with a known truth, into docs/calibration.md; hours, continues where it ended
#   make bench  the benchmarks, into docs/benchmarks.md   make clean  remove what the others made
#   make gpu    the tests that need a GPU and their section of docs/benchmarks.md, five minutes on a machine that has one
#   make bench SECTIONS="promises linear" DATA=folder YARDSTICK=folder RESULTS=file NETS=python WINNER=1   all optional, see tools/bench.py

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
DEMO ?= diamonds --time-limit 50s
WORKERS ?= 2
JOBS ?= 2
# The tests start a hundred interpreters, each of which would compile the package anew where nothing compiled may be kept. The files in
# their order end with many short ones; by their numbers of tests, those of a few long tests would come last.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# What old versions could break and is quick: all but fitted estimators, nets, whole comparisons, child processes and calibration.
OLDEST := $(addprefix tests/,core reading splitting views metrics linear boosting selection model store costs report wording \
	approaches checks verdict test_options.py test_command.py) \
	--ignore=tests/verdict/test_calibration.py --ignore=tests/verdict/test_calibrate_approaches.py

.PHONY: demo test test-slow test-oldest lint check-estimators calibrate bench gpu clean

demo: .venv/installed
	$(BIN)/tabbench compare $(DEMO) --out tabbench-demo --fresh

test: lint
	$(PYTEST)

test-slow: .venv/installed-dev
	$(PYTEST) -m slow

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers $(WORKERS)
	$(BIN)/lint-imports
	$(BIN)/python tools/check_docstrings.py

# Warnings are no errors here: old versions warn of what has changed since. Of torch the pinned version is taken, see tools/oldest.py.
test-oldest:
	$(PYTHON) -m venv .venv/oldest
	.venv/oldest/bin/python tools/oldest.py > .venv/oldest/constraints.txt
	.venv/oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv/oldest/constraints.txt \
		--editable '.[test]'
	OMP_NUM_THREADS=1 .venv/oldest/bin/pytest --numprocesses $(WORKERS) --override-ini filterwarnings=default $(OLDEST)

check-estimators: .venv/installed-dev
	TABBENCH_CHECK_DEFAULTS=1 OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) tests/contract/test_every_estimator.py

calibrate: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python tools/calibrate.py --jobs $(JOBS)

bench: .venv/installed-dev
	$(BIN)/python tools/bench.py $(SECTIONS) $(if $(DATA),--data $(DATA)) $(if $(YARDSTICK),--yardstick $(YARDSTICK)) \
		$(if $(RESULTS),--results $(RESULTS)) $(if $(NETS),--nets $(NETS)) $(if $(WINNER),--winner)

gpu: .venv/installed-dev
	$(BIN)/pytest tests/nets/test_gpu.py
	$(BIN)/python tools/bench.py gpu

clean:
	rm -rf .venv build dist tabbench-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find tabbench tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are older than pyproject.toml or the pins when something has to be installed again.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/installed-dev: .venv/installed
	$(INSTALL) '.[dev]'
	touch $@
