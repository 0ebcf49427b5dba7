"""The approach `mlp`: a small neural net. Represents the nets."""

from __future__ import annotations

from tabbench.core.approach import APPROACHES, Approach, FittedApproach, TrainingSet
from tabbench.core.parts import Parts
from tabbench.nets.amount import net_settings


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.nets.model import fit_net

    return fit_net(training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.nets.ensemble import restore_fitted

    return restore_fitted(parts)


APPROACHES.register(Approach(
    name="mlp", version=9, family="net", cost_rank=50, view="net",
    summary="small neural nets on inner folds, with binned numbers and embeddings, early stopping, divergence survived",
    settings=net_settings, fit=_fit, restore=_restore, requires=("torch",), represents=True, uses_device=True, blends=True,
    divides=True, from_effort=0.0, joined={"forest": 3.0}))
