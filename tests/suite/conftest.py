"""A suite's folder as runs leave it: two tables that finished, one of them with failures, one interrupted, one never begun."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from stored import forget_results

import tabbench
from tabbench.store.database import Store
from tabbench.suite.reported import note_reported

QUICK = {"effort": 0.01, "folds": 2, "repeats": 1, "sizes": "30,full", "quiet": True, "executor": "in-process"}
DEFINITION = 'name = "garden"\ntitle = "All of the garden"\n' + "".join(
    f'[[tables]]\nname = "{name}"\n' for name in ("trees", "flowers", "weeds", "stones"))


def flowers(seed=0, rows=120):
    random = np.random.default_rng(seed)
    length = random.normal(size=rows)
    kind = np.where(length + random.normal(size=rows) > 0.3, "rose", "tulip")
    return pd.DataFrame({"length": length, "width": random.normal(size=rows), "kind": kind})


def trees(rows=90):
    random = np.random.default_rng(1)
    age = random.uniform(1, 100, rows)
    return pd.DataFrame({"age": age, "rain": random.normal(size=rows), "height": age / 4 + random.normal(size=rows)})


@pytest.fixture(scope="session")
def garden(tmp_path_factory):
    """The folder; nobody writes into it."""
    folder = tmp_path_factory.mktemp("suites") / "garden"
    tables = folder / "tables"
    tables.mkdir(parents=True)
    tabbench.compare(trees(), "height", approaches=["linear", "lightgbm"], out=tables / "trees", **QUICK)
    own = {"linear": "linear", "wrong": LinearRegression()}
    tabbench.compare(flowers(), "kind", approaches=own, out=tables / "flowers", **QUICK)
    for name in ("trees", "flowers"):
        with Store(tables / name) as store:
            note_reported(store)
    shutil.copytree(tables / "trees", tables / "weeds")
    interrupt(tables / "weeds")
    (folder / "suite.toml").write_text(DEFINITION)
    (folder / "manifest.json").write_text(json.dumps({"tables": [{"name": "stones", "problem": "no such file: stones.csv"}]}))
    return folder


def interrupt(run):
    """Leave the run as if it had been killed before the full size of lightgbm."""
    for name in ("result.json", "report.html", "report.md"):
        (run / name).unlink()
    forget_results(run, lambda cell: cell.approach == "lightgbm" and cell.size > 30)


@pytest.fixture
def copied(garden, tmp_path):
    """The same folder to write into."""
    return shutil.copytree(garden, tmp_path / "garden")
