"""The libraries of boosted trees by name. A library is imported when it is asked for: each takes its time and its memory."""

from __future__ import annotations

from tabbench.boosting.booster import Library

LIBRARIES = ("xgboost", "lightgbm", "catboost")


def library(name: str) -> Library:
    """The library of that name, imported only now."""
    if name == "xgboost":
        from tabbench.boosting.xgboost_library import XGBoostLibrary

        return XGBoostLibrary()
    if name == "catboost":
        from tabbench.boosting.catboost_library import CatBoostLibrary

        return CatBoostLibrary()
    from tabbench.boosting.lightgbm_library import LightGBMLibrary

    return LightGBMLibrary()
