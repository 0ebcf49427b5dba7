"""The approach `lightgbm`: the best of several configurations of LightGBM, stopped on inner folds."""

from __future__ import annotations

from tabbench.boosting.amount import booster_settings
from tabbench.core.approach import APPROACHES, Approach, FittedApproach, TrainingSet
from tabbench.core.parts import Parts


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.boosting.model import fit_single

    return fit_single("lightgbm", training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.boosting.model import restore_boosted

    return restore_boosted(parts)


APPROACHES.register(Approach(
    name="lightgbm", version=9, family="trees", cost_rank=30, view="trees",
    summary="LightGBM, the best of a few configurations, stopped early on inner folds, fold models averaged",
    settings=booster_settings, fit=_fit, restore=_restore, requires=("lightgbm",), blends=True, divides=True,
    from_effort=0.0))
