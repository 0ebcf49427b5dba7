"""For packages that add approaches, checks, metrics, executors or stores: call the function for each of yours in your own tests.

Each raises `AssertionError` where the contract is broken, and needs no test runner.

>>> from tabbench.core.metric import METRICS
>>> check_metric(METRICS.get("rmse"))
"""

from tabbench.comparison.contracts import check_approach, check_check, check_executor, check_metric
from tabbench.comparison.store_contract import check_store

__all__ = ["check_approach", "check_check", "check_executor", "check_metric", "check_store"]
