"""An own estimator that subclasses let do something to its process; children get it by value, as they cannot import tests."""

import sys

import cloudpickle
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Misbehaving(ClassifierMixin, BaseEstimator):
    """Predicts class shares; `misbehave` is called at the end of `fit`."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        self.misbehave()
        return self

    def misbehave(self):
        pass

    def predict(self, X):
        return np.repeat(self.classes_[np.argmax(self.shares_)], len(X))

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))
