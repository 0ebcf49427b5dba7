"""What is left to look at of a training: curves and layers in about two kilobytes of plain values.

Looks at members and records, changes nothing, draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabbench.nets.activations import dead_share
from tabbench.nets.network import Members, named_views

MOST_POINTS = 40
"""Epochs of a curve that are kept, evenly spaced: every cell of a run stores its own."""
DIGITS = {"training_loss": 4, "validation_loss": 4, "learning_rate": 3, "gradient_norm": 3}
BINS = 20
REACH = 4.0
"""Histograms end so many spreads from the mean; weights beyond are counted at the ends."""
MEASURED_EPOCHS = 10
"""About as often the size of a step is measured, which costs a copy of the weights."""


def is_measured(epoch: int, epochs: int) -> bool:
    """Whether the last step of an epoch (from 1) is measured.

    >>> [epoch for epoch in range(1, 26) if is_measured(epoch, 25)]
    [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]
    """
    return epoch % max(1, epochs // MEASURED_EPOCHS) == 0


@torch.no_grad()
def update_ratios(members: Members, before: Tensor) -> Tensor:
    """Length of a step over the length of the weights, by matrix (members, layers); `before` are the learnt numbers before."""
    earlier = named_views(members.shape.parameters(), before)
    ratios = []
    for name in members.shape.matrices():
        old, new = earlier[name].flatten(1), members.parameters[name].flatten(1)
        ratios.append(torch.linalg.vector_norm(new - old, dim=1) / torch.linalg.vector_norm(old, dim=1))
    return torch.stack(ratios, dim=1) if ratios else members.values[:, :0]


@torch.no_grad()
def dead_shares(members: Members, encoded: Tensor, codes: Tensor) -> Tensor:
    """Share of the units that say the same for all of these rows, by hidden layer: (members, layers)."""
    if members.shape.is_module:
        return members.values[:, :0]
    values, shares = members.first_values(members.inputs(encoded, codes), members.parameters), []
    for layer in range(len(members.shape.hidden)):
        values = members.hidden_layer(layer, values, members.parameters)
        shares.append(dead_share(values, members.shape.activation))
    return torch.stack(shares, dim=1) if shares else members.values[:, :0]


def curves(history: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Medians over the nets by epoch, at most `MOST_POINTS` of them; what is not finite is None. Empty without epochs."""
    by_epoch: dict[int, list[dict[str, Any]]] = {}
    for record in history:
        by_epoch.setdefault(record["epoch"], []).append(record)
    epochs = list(by_epoch)
    if not epochs:
        return {}
    places = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_POINTS)).round().astype(int))
    kept = [epochs[place] for place in places]
    medians = {name: [_rounded(_median(record[name] for record in by_epoch[epoch]), digits) for epoch in kept]
               for name, digits in DIGITS.items()}
    return {"epoch": kept, **medians}


def layer_summaries(members: Members, ratios: Sequence[Sequence[float]], dead: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """Of each layer, all members together: a histogram of its weights (`low` to `high`, counts), their spread, the medians of
    the share of dead units (None for the last layer) and of the update ratio.

    Parameters
    ----------
    ratios : Sequence[Sequence[float]]
        (measurements, layers).
    dead : Sequence[Sequence[float]]
        (members, hidden layers).
    """
    summaries = []
    for layer, name in enumerate(members.shape.matrices()):
        weights = members.parameters[name].detach().cpu().numpy().ravel().astype(np.float64)
        middle, reach = weights.mean(), REACH * weights.std()
        counts, edges = np.histogram(np.clip(weights, middle - reach, middle + reach), bins=BINS)
        is_hidden = layer < len(members.shape.hidden)
        summaries.append({
            "low": _rounded(edges[0], 3), "high": _rounded(edges[-1], 3), "counts": counts.tolist(),
            "spread": _rounded(weights.std(), 3),
            "dead_share": _rounded(_median(row[layer] for row in dead), 3) if is_hidden else None,
            "update_ratio": _rounded(_median(row[layer] for row in ratios), 2)})
    return summaries


def _median(values: Iterable[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.median(finite)) if finite else math.nan


def _rounded(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
