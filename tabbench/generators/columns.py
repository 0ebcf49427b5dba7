"""What generators share: columns with names, and an outcome around a score. Sums avoid libraries whose order of adding varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.generator import TARGET


def outcome(random: np.random.Generator, score: np.ndarray, task: str, noise: float) -> np.ndarray:
    """Numbers (n,) around the score with this standard deviation, or "yes" with the logistic probability of score / noise."""
    if task == "regression":
        return np.asarray(score + noise * random.standard_normal(len(score)))
    return np.where(score + noise * random.logistic(size=len(score)) > 0, "yes", "no")


def named(features: np.ndarray, target: np.ndarray, **more: Any) -> pd.DataFrame:
    """Features (n, p) as columns x1 to xp, then `more`, then the target."""
    columns = {f"x{place + 1}": features[:, place] for place in range(features.shape[1])}
    return pd.DataFrame(columns | more | {TARGET: target})


def weighted(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted sum of the columns, added one after the other."""
    total = np.zeros(len(features))
    for place, weight in enumerate(weights):
        total += weight * features[:, place]
    return total
