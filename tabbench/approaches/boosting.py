"""The approach `boosting`: XGBoost and LightGBM ensembled. Represents the trees."""

from __future__ import annotations

from tabbench.core.approach import APPROACHES, Approach, FittedApproach, Settings, TrainingSet, Workload
from tabbench.core.parts import Parts


def _settings(workload: Workload) -> Settings:
    """Exactly what the approaches of these names do: their fits are shared; their settings and versions belong into this key."""
    members = [APPROACHES.get(name) for name in ("xgboost", "lightgbm")]
    return {"members": {member.name: member.settings(workload) for member in members},
            "versions": {member.name: member.version for member in members}}


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.boosting.model import fit_ensemble

    return fit_ensemble(training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.boosting.model import restore_boosted

    return restore_boosted(parts)


APPROACHES.register(Approach(
    name="boosting", version=7, family="trees", cost_rank=40, view="trees",
    summary="XGBoost and LightGBM, weighted by what is best on inner held-out rows",
    settings=_settings, fit=_fit, restore=_restore, requires=("xgboost", "lightgbm"), represents=True,
    blends=True, from_effort=0.0))
