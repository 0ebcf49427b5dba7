"""The approach `xgboost`: XGBoost with its number of rounds found on inner folds."""

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
    name="xgboost", version=1, family="trees", cost_rank=31, view="trees",
    summary="XGBoost, rounds by early stopping over inner folds, the fold models averaged",
    settings=booster_settings, fit=_fit, restore=_restore, requires=("xgboost",)))
