"""A training that is beyond recovery is a failed row, and what its guard saw reaches the comparison all the same."""

import sys

import cloudpickle
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

import tabbench
from tabbench.core.errors import TabbenchError
from tabbench.core.finding import Incident

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Hopeless(ClassifierMixin, BaseEstimator):
    """Gives up as a guarded net does."""

    def fit(self, X, y):
        error = TabbenchError("the net cannot be trained")
        error.incidents = (Incident("O01", "net 1, epoch 1", "loss inf", "the rate", "rate divided by ten", "given up"),)
        raise error

    def predict(self, X):
        return np.zeros(len(X))


def test_incidents_of_failed_cells_are_told(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60), "y": rng.integers(0, 2, 60)})
    comparison = tabbench.compare(frame, "y", approaches={"hopeless": Hopeless()}, sizes=["full"], folds=2, repeats=1,
                                  executor="in-process", out=tmp_path / "run")
    assert set(comparison.failures["approach"]) == {"hopeless"}
    assert comparison.incidents[["approach", "code", "outcome"]].drop_duplicates().to_numpy().tolist() == [
        ["hopeless", "O01", "given up"]]
