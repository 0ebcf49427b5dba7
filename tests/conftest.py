"""A small table and setup for tests that need a run without a file."""

import gc
import os
import signal
from functools import cache

import numpy as np
import pandas as pd
import pytest
import simulated
from hypothesis import settings

from tabbench.core import versions
from tabbench.core.setup import Setup
from tabbench.core.table import Column, Table
from tabbench.core.task import Task
from tabbench.costs import prior
from tabbench.splitting.splits import make_splits, splits_fingerprint

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """The garbage collection passes over thousands of collected tests and the libraries that they import."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """A shell that runs the tests in the background has them, and all they start, ignore Ctrl-C; some tests are about it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def one_probe():
    """The machine is probed once, not for each of hundreds of comparisons in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prior, "probe", cache(prior.probe))
        yield


@pytest.fixture(autouse=True, scope="session")
def versions_read_once():
    """The versions of what is installed are read from its metadata once, not by each of hundreds of comparisons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "version", cache(versions.version))
        yield


@pytest.fixture(scope="module")
def few_rounds():
    """The checks' quick model boosts a few times, for tests that ask nothing of it; it makes a fifth of a small comparison."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tabbench.checks.quick_model.ROUNDS", 5)
        yield


@pytest.fixture(scope="module")
def rough_intervals():
    """Simultaneous intervals from a few draws, for tests that ask nothing of them; they make a tenth of a small comparison."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tabbench.verdict.simultaneous.DRAWS", 4_000)
        yield


@pytest.fixture(scope="module")
def blank_page():
    """Comparisons leave an empty HTML page, for tests that look at none; its figures make a fifth of a small comparison."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tabbench.report.as_html.to_html", lambda comparison: "<!DOCTYPE html>")
        yield


def small_table(rows=120, seed=0):
    rng = np.random.default_rng(seed)
    number, label = rng.normal(size=rows), rng.choice(["a", "b", "c"], rows)
    target = np.where(number + (label == "a") + rng.normal(size=rows) > 0.3, "yes", "no")
    features = pd.DataFrame({"number": number, "label": pd.Categorical(label, categories=["a", "b", "c"])})
    columns = (Column("number", "number"), Column("label", "category", ("a", "b", "c")))
    return Table(name="small", features=features, columns=columns,
                 target=pd.Series(target), target_name="answer", target_is_integer=False, rows=np.arange(rows),
                 tie=np.arange(rows, dtype=np.uint64), fingerprint=f"small-{rows}-{seed}")


@pytest.fixture(scope="session")
def small_setup():
    table = small_table()
    target = (table.target == "yes").to_numpy().astype(np.int64)
    task = Task("binary", ("no", "yes"), "log_loss", ("log_loss", "auc"))
    plan, _ = make_splits(table, target, task, folds=2, repeats=1)
    return Setup(table, task, target, plan, splits_fingerprint(plan), 0)


@pytest.fixture
def simulate():
    """Tables with a known truth and evidence made from them."""
    return simulated.generators()
