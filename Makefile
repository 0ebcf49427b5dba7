# What a clone can do. Everything is installed into .venv here, from pinned versions, and nowhere else.
#   make demo   compare the approaches on a shipped data set, ending with the verdict and the report's path
#   make test   the linters and all tests        make lint   the linters alone
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

.PHONY: demo test lint check-estimators calibrate bench gpu clean

demo: .venv/installed
	$(BIN)/tabbench compare $(DEMO) --out tabbench-demo --fresh

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-estimators: .venv/installed-dev
	TABBENCH_CHECK_DEFAULTS=1 OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) tests/contract/test_every_estimator.py

calibrate: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python tools/calibrate.py --jobs $(WORKERS)

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
