"""One fit for all that need it: a cell of its own, and the blends that weigh it. Knows no learner."""

from __future__ import annotations

import json
from dataclasses import replace

from tabbench.core.approach import Approach, BlendableFit, TrainingSet
from tabbench.core.cell import digest


def fit_once(approach: Approach, training: TrainingSet) -> BlendableFit:
    """Fit an approach that blends, or take the fit from the batch's memo.

    Its seed comes from the one that all approaches on these rows share, so that a blend finds the fit of the approach's own
    cell, and both give the same numbers where only one of them runs.
    """
    seed = int(digest([approach.name, training.shared_seed])[:8], 16)
    key = ("fit", approach.name, approach.version, json.dumps(training.settings, sort_keys=True), seed, training.device)
    fitted: BlendableFit = training.shared.once(key, lambda: approach.fit(replace(training, seed=seed)))
    return fitted
