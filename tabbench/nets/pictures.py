"""Pictures of a training and of a net's weights, by matplotlib, which is imported when they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.finding import Incident

PANELS = (("loss", ("training_loss", "validation_loss"), False), ("learning rate", ("learning_rate",), True),
          ("gradient norm", ("gradient_norm",), True))
"""Title, columns of the history, and whether the axis is logarithmic."""
COLOURS = {"training_loss": "tab:blue", "validation_loss": "tab:orange", "learning_rate": "tab:green",
           "gradient_norm": "tab:purple"}
BINS = 60


def plot_training(history: pd.DataFrame, incidents: Sequence[Incident], axes: Any = None) -> Any:
    """Losses, rate and gradient norm by epoch, a thin line a net and a thick one for their median; incidents as dashed lines."""
    axes = _axes(axes, len(PANELS))
    for axis, (title, columns, is_logarithmic) in zip(axes, PANELS, strict=True):
        for column in columns:
            by_net = history.pivot(index="epoch", columns="net", values=column)
            axis.plot(by_net.index, by_net.to_numpy(), color=COLOURS[column], linewidth=0.5, alpha=0.4)
            axis.plot(by_net.index, by_net.median(axis=1), color=COLOURS[column], linewidth=2, label=column.replace("_", " "))
        if is_logarithmic and (history[list(columns)] > 0).any(axis=None):
            axis.set_yscale("log")
        _mark(axis, incidents)
        axis.set(title=title, xlabel="epoch")
        axis.legend(fontsize="small")
    axes[0].figure.tight_layout()
    return axes[0].figure


def plot_weights(weights: Mapping[str, np.ndarray], axes: Any = None) -> Any:
    """A histogram of each layer's weights; their spread is in the title."""
    axes = _axes(axes, len(weights))
    for number, (axis, values) in enumerate(zip(axes, weights.values(), strict=True), start=1):
        axis.hist(values, bins=BINS, color="tab:blue")
        axis.set(title=f"layer {number}: spread {values.std():.3g}", xlabel="weight")
        axis.set_yscale("log")
    axes[0].figure.tight_layout()
    return axes[0].figure


def _mark(axis: Any, incidents: Sequence[Incident]) -> None:
    seen: set[tuple[str, int]] = set()
    for incident in incidents:
        epoch = _epoch(incident.where)
        if epoch is not None and (incident.code, epoch) not in seen:
            seen.add((incident.code, epoch))
            axis.axvline(epoch, color="tab:red", linestyle="--", linewidth=1)
            axis.annotate(incident.code, (epoch, 1.0), xycoords=("data", "axes fraction"), color="tab:red", fontsize="small",
                          rotation=90, va="top", ha="right")


def _epoch(where: str) -> int | None:
    last = where.rpartition("epoch ")[2]
    return int(last) if last.isdigit() else None


def _axes(axes: Any, count: int) -> list[Any]:
    if axes is not None:
        return list(np.ravel(axes))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * count, 3.5))
    return list(np.ravel(figure.subplots(1, count)))
