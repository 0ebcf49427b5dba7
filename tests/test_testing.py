"""The contracts that other packages run on what they register hold for our own, and notice what breaks them."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.approaches.composed import find_approach
from tabbench.core.check import CHECKS
from tabbench.core.errors import BadData
from tabbench.core.executor import EXECUTORS
from tabbench.core.metric import METRICS
from tabbench.store.database import Store
from tabbench.testing import check_approach, check_check, check_executor, check_metric, check_store


@pytest.mark.parametrize("name", METRICS.names())
def test_metrics(name):
    check_metric(METRICS.get(name))


@pytest.mark.parametrize("name", ["duplicates", "identifiers", "missingness"])
def test_checks(name):
    check_check(CHECKS.get(name))


@pytest.mark.parametrize("name", ["dummy", "lightgbm"])
def test_approaches(name):
    check_approach(find_approach(name), ("binary",))


def test_executors():
    check_executor(EXECUTORS.get("in-process"))  # and the others in contract/


def test_stores():
    check_store(Store)


def test_a_metric_that_depends_on_the_order_of_rows_is_noticed():
    odd = replace(METRICS.get("rmse"), row_loss=None, score=lambda truth, predicted, weight: float(abs(truth[0] - predicted[0])))
    with pytest.raises(AssertionError, match="order"):
        check_metric(odd)


def test_an_approach_whose_restored_model_predicts_otherwise_is_noticed():
    dummy = find_approach("dummy")

    def restore(parts):
        parts.arrays["constant"] = np.array([0.5, 0.5])
        return dummy.restore(parts)

    with pytest.raises(AssertionError, match="restored bit for bit"):
        check_approach(replace(dummy, restore=restore), ("binary",))


def test_an_executor_that_runs_nothing_is_noticed():
    class Idle(EXECUTORS.get("in-process").make):
        def run(self, schedule, observer, *, is_stopped=lambda: False, keeping=None):
            return None

    with pytest.raises(AssertionError, match="what is done stays"):
        check_executor(replace(EXECUTORS.get("in-process"), make=Idle))


def test_a_store_that_takes_a_damaged_file_for_a_new_one_is_noticed():
    class Careless(Store):
        def __init__(self, folder):
            try:
                super().__init__(folder)
                self.recall("kept")
            except BadData:
                (folder / "run.db").unlink()
                super().__init__(folder)

    with pytest.raises(AssertionError, match="reads as before"):
        check_store(Careless)


def test_a_store_that_keeps_the_last_result_is_noticed():
    class Replacing(Store):
        def put(self, results):
            self.forget([result.key for result in results])
            super().put(results)

    with pytest.raises(AssertionError, match="keeps its first result"):
        check_store(Replacing)
