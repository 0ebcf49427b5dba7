"""The approach `boosting`: XGBoost and LightGBM ensembled. Represents the trees."""

from __future__ import annotations

from tabbench.core.approach import APPROACHES, Approach, FittedApproach, Settings, TrainingSet, Workload
from tabbench.core.parts import Parts


def _settings(workload: Workload) -> Settings:
    """Exactly what the approaches of these names do: their fits are shared, and their settings belong into this key."""
    return {"members": {name: APPROACHES.get(name).settings(workload) for name in ("xgboost", "lightgbm")}}


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.boosting.model import fit_ensemble

    return fit_ensemble(training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.boosting.model import restore_boosted

    return restore_boosted(parts)


APPROACHES.register(Approach(
    name="boosting", version=2, family="trees", cost_rank=40, view="trees",
    summary="XGBoost and LightGBM, weighted by what is best on inner held-out rows",
    settings=_settings, fit=_fit, restore=_restore, requires=("xgboost", "lightgbm"), represents=True,
    blends=True))
