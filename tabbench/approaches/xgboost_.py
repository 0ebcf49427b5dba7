"""The approach `xgboost`: the best of several configurations of XGBoost, stopped on inner folds."""

from __future__ import annotations

from tabbench.boosting.amount import booster_settings
from tabbench.core.approach import APPROACHES, Approach, FittedApproach, TrainingSet
from tabbench.core.parts import Parts


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.boosting.model import fit_single

    return fit_single("xgboost", training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.boosting.model import restore_boosted

    return restore_boosted(parts)


APPROACHES.register(Approach(
    name="xgboost", version=9, family="trees", cost_rank=31, view="trees",
    summary="XGBoost, the best of a few configurations, stopped early on inner folds, fold models averaged",
    settings=booster_settings, fit=_fit, restore=_restore, requires=("xgboost",), blends=True, divides=True,
    from_effort=0.0))
