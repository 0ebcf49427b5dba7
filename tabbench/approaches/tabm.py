"""The approach `tabm`: nets that are ensembles of heads sharing their layers, which steadies them at little cost."""

from __future__ import annotations

from tabbench.core.approach import APPROACHES, Approach, FittedApproach, TrainingSet
from tabbench.core.parts import Parts
from tabbench.nets.amount import shared_net_settings


def _fit(training: TrainingSet) -> FittedApproach:
    from tabbench.nets.model import fit_net

    return fit_net(training)


def _restore(parts: Parts) -> FittedApproach:
    from tabbench.nets.model import restore_net

    return restore_net(parts)


APPROACHES.register(Approach(
    name="tabm", version=7, family="net", cost_rank=52, view="net",
    summary="nets of eight heads that share all but input scales and last layers (TabM-mini), under the same guard",
    settings=shared_net_settings, fit=_fit, restore=_restore, requires=("torch",), uses_device=True, blends=True))
