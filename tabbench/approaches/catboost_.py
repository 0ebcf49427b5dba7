"""The approach `catboost`: the best of a few configurations of CatBoost, stopped on inner folds. Needs the extra `catboost`."""

from __future__ import annotations

from tabbench.boosting.amount import booster_settings
from tabbench.core.approach import APPROACHES, Approach, FittedApproach, TrainingSet
from tabbench.core.parts import Parts


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.boosting.model import fit_single

    return fit_single("catboost", training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.boosting.model import restore_boosted

    return restore_boosted(parts)


APPROACHES.register(Approach(
    name="catboost", version=8, family="trees", cost_rank=32, view="trees",
    summary="CatBoost, the best of a few configurations, stopped early on inner folds (extra: catboost)",
    settings=booster_settings, fit=_fit, restore=_restore, requires=("catboost",), blends=True, divides=True))
