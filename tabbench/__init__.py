"""tabbench: which approach wins on your table, at your size, and how sure that is.

>>> import tabbench
>>> tabbench.__all__[-3:]
['compare_tables', 'predict', 'reopen']
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabbench.across import FinishedTables, compare_tables
    from tabbench.compare import compare
    from tabbench.estimators.best import BestApproachClassifier, BestApproachRegressor
    from tabbench.estimators.boosted import BoostedEnsembleClassifier, BoostedEnsembleRegressor
    from tabbench.estimators.guarded import GuardedMLPClassifier, GuardedMLPRegressor
    from tabbench.estimators.linear import ElasticNetGridRegressor, LogisticGridClassifier
    from tabbench.estimators.selection import ForestSelector
    from tabbench.finished import FinishedComparison, reopen
    from tabbench.winner import predict

__version__ = "0.1.0"
__all__ = ["BestApproachClassifier", "BestApproachRegressor", "BoostedEnsembleClassifier", "BoostedEnsembleRegressor",
           "ElasticNetGridRegressor", "FinishedComparison", "FinishedTables", "ForestSelector", "GuardedMLPClassifier",
           "GuardedMLPRegressor", "LogisticGridClassifier", "compare", "compare_tables", "predict", "reopen"]

_HOMES = {"BestApproachClassifier": "estimators.best", "BestApproachRegressor": "estimators.best",
          "BoostedEnsembleClassifier": "estimators.boosted", "BoostedEnsembleRegressor": "estimators.boosted",
          "ElasticNetGridRegressor": "estimators.linear", "FinishedComparison": "finished",
          "FinishedTables": "across", "ForestSelector": "estimators.selection", "GuardedMLPClassifier": "estimators.guarded",
          "GuardedMLPRegressor": "estimators.guarded", "LogisticGridClassifier": "estimators.linear",
          "compare": "compare", "compare_tables": "across", "predict": "winner", "reopen": "finished"}


def __getattr__(name: str) -> Any:
    # Imported on first use: `tabbench --help` must not wait for pandas.
    if name not in _HOMES:
        raise AttributeError(f"module 'tabbench' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tabbench.{_HOMES[name]}"), name)


class _Package(ModuleType):
    """Keeps `tabbench.compare` the function, although importing the module of that name would put the module there."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "compare" and isinstance(value, ModuleType):
            value = value.compare
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
