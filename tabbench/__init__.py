"""tabbench: which approach wins on your table, at your size, and how sure that is.

>>> import tabbench
>>> tabbench.__all__[-3:]
['reopen', 'run_suite', 'verify']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabbench.comparison.compare import compare
    from tabbench.comparison.many_tables import FinishedTables, compare_tables
    from tabbench.comparison.predict import predict
    from tabbench.comparison.result import FinishedComparison, reopen
    from tabbench.core.errors import BadData, BadOption, MissingExtra, TabbenchError, TrainingWarning, UnknownName, UserMistake
    from tabbench.estimators.approach import ApproachClassifier, ApproachRegressor
    from tabbench.estimators.best import BestApproachClassifier, BestApproachRegressor
    from tabbench.estimators.boosted import BoostedEnsembleClassifier, BoostedEnsembleRegressor
    from tabbench.estimators.components import TabularPCA
    from tabbench.estimators.guarded import GuardedMLPClassifier, GuardedMLPRegressor
    from tabbench.estimators.linear import ElasticNetGridRegressor, LogisticGridClassifier
    from tabbench.estimators.selection import ForestSelector, L1Selector, UnivariateSelector
    from tabbench.metrics.decisions import cost_matrix
    from tabbench.suite.api import FinishedSuite, run_suite
    from tabbench.suite.verify import verify

__version__ = "0.1.0"
__all__ = ["ApproachClassifier", "ApproachRegressor", "BadData", "BadOption", "BestApproachClassifier", "BestApproachRegressor",
           "BoostedEnsembleClassifier", "BoostedEnsembleRegressor", "ElasticNetGridRegressor", "FinishedComparison",
           "FinishedSuite", "FinishedTables", "ForestSelector", "GuardedMLPClassifier", "GuardedMLPRegressor", "L1Selector",
           "LogisticGridClassifier", "MissingExtra", "TabbenchError", "TabularPCA", "TrainingWarning", "UnivariateSelector",
           "UnknownName", "UserMistake", "compare", "compare_tables", "cost_matrix", "predict", "reopen", "run_suite", "verify"]

_HOMES = {
    **dict.fromkeys(("BadData", "BadOption", "MissingExtra", "TabbenchError", "UnknownName", "UserMistake"), "core.errors"),
    "cost_matrix": "metrics.decisions",
    "ApproachClassifier": "estimators.approach", "ApproachRegressor": "estimators.approach",
    "L1Selector": "estimators.selection", "TabularPCA": "estimators.components", "UnivariateSelector": "estimators.selection",
    "BestApproachClassifier": "estimators.best", "BestApproachRegressor": "estimators.best",
    "BoostedEnsembleClassifier": "estimators.boosted", "BoostedEnsembleRegressor": "estimators.boosted",
    "ElasticNetGridRegressor": "estimators.linear", "FinishedComparison": "comparison.result",
    "FinishedTables": "comparison.many_tables", "ForestSelector": "estimators.selection",
    "GuardedMLPClassifier": "estimators.guarded", "GuardedMLPRegressor": "estimators.guarded",
    "LogisticGridClassifier": "estimators.linear", "TrainingWarning": "core.errors", "compare": "comparison.compare",
    "compare_tables": "comparison.many_tables", "predict": "comparison.predict", "reopen": "comparison.result",
    "FinishedSuite": "suite.api", "run_suite": "suite.api", "verify": "suite.verify",
}
"""Public name -> its module."""


def __getattr__(name: str) -> Any:
    # Imported on first use: `tabbench --help` must not wait for pandas.
    if name not in _HOMES:
        raise AttributeError(f"module 'tabbench' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tabbench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
