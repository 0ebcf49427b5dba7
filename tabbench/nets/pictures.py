"""Pictures of a training and of a net's weights, by matplotlib, which is imported when they are drawn."""

from __future__ import annotations

from collections import Counter
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
PANEL_INCHES = (4.2, 3.6)
MANY_DEAD = 0.5
"""Share of dead units that stands out."""
ROOM_ABOVE = 1.3
"""A loss that rose far above its start is cut there, or what follows would be a flat line."""


def plot_training(history: pd.DataFrame, incidents: Sequence[Incident], best_epoch: int | None = None, ax: Any = None) -> Any:
    """Losses, rate and gradient norm by epoch, a thin line a net and a thick one for their median; incidents as dashed lines.

    Parameters
    ----------
    best_epoch : int | None, default None
        Marked by a dotted line, unless it is 0 or None.
    ax : Any, default None
        Three of matplotlib's; None makes a figure of pyplot's.
    """
    axes = _axes(ax, len(PANELS))
    for axis, (title, columns, is_logarithmic) in zip(axes, PANELS, strict=True):
        for column in columns:
            by_net = history.pivot(index="epoch", columns=[name for name in ("recipe", "net") if name in history], values=column)
            by_net = by_net.where(by_net > 0) if is_logarithmic else by_net
            median = by_net.median(axis=1)
            if by_net.shape[1] > 1:
                axis.plot(by_net.index, by_net.to_numpy(), color=COLOURS[column], linewidth=0.5, alpha=0.35)
            marker = "o" if len(by_net) == 1 else None
            axis.plot(by_net.index, median, color=COLOURS[column], linewidth=2, marker=marker, label=column.replace("_", " "))
        if is_logarithmic and (history[list(columns)] > 0).any(axis=None):
            axis.set_yscale("log")
        if not is_logarithmic:
            _cut_above(axis, history[list(columns)].to_numpy())
        _mark(axis, incidents, best_epoch)
        axis.set(title=title, xlabel="epoch")
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if "validation_loss" in columns and history["validation_loss"].isna().all():
            axis.annotate("no validation rows", (0.98, 0.02), xycoords="axes fraction", ha="right", fontsize="small",
                          color="dimgray")
        if len(columns) > 1:
            axis.legend(fontsize="small", frameon=False)
    axes[0].figure.tight_layout()
    return axes[0].figure


def plot_weights(weights: Mapping[str, np.ndarray], layers: Sequence[Mapping[str, Any]], ax: Any = None) -> Any:
    """A histogram of each layer's weights; above it their spread, the share of dead units and the update ratio.

    Parameters
    ----------
    layers : for each layer `dead_share` (None where it has no hidden units) and `update_ratio`, the length of a step over the
        length of the weights; about 1e-3 is usual, far more is restless, far less hardly moves.
    """
    axes = _axes(ax, len(weights))
    for number, (axis, values, layer) in enumerate(zip(axes, weights.values(), layers, strict=True), start=1):
        axis.hist(values, bins=BINS, color="tab:blue")
        dead, ratio = layer["dead_share"], layer["update_ratio"]
        said = [f"spread {values.std():.2g}", *([] if dead is None else [f"{dead:.0%} dead units"]),
                *([] if ratio is None else [f"update ratio {ratio:.1e}"])]
        axis.set_title(f"layer {number}{'' if dead is not None else ' (output)'}\n", loc="left")
        axis.annotate(" · ".join(said), (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points", fontsize="small",
                      color="tab:red" if dead is not None and dead > MANY_DEAD else "dimgray")
        axis.set_xlabel("weight")
        axis.set_yscale("log")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("number of weights")
    axes[0].figure.tight_layout()
    return axes[0].figure


def _cut_above(axis: Any, values: np.ndarray) -> None:
    finite = values[np.isfinite(values)]
    if len(finite) and finite.max() > ROOM_ABOVE * np.quantile(finite, 0.9):
        low, high = float(finite.min()), float(np.quantile(finite, 0.9)) * ROOM_ABOVE
        axis.set_ylim(low - 0.05 * (high - low), high)


def _mark(axis: Any, incidents: Sequence[Incident], best_epoch: int | None) -> None:
    if best_epoch:
        axis.axvline(best_epoch, color="dimgray", linestyle=":", linewidth=1)
        axis.annotate("best", (best_epoch, 0.0), (2, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                      color="dimgray", fontsize="small")
    seen = Counter((each.epoch, each.code) for each in incidents if each.epoch is not None)
    by_epoch: dict[int, list[str]] = {}
    for (epoch, code), count in sorted(seen.items()):
        by_epoch.setdefault(epoch, []).append(code if count == 1 else f"{code} ×{count}")
    for epoch, codes in by_epoch.items():
        axis.axvline(epoch, color="tab:red", linestyle="--", linewidth=1)
        axis.annotate(", ".join(codes), (epoch, 1.0), (-2, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                      color="tab:red", fontsize="small", rotation=90, va="top", ha="right")


def _axes(axes: Any, count: int) -> list[Any]:
    if axes is not None:
        return list(np.ravel(axes))
    from matplotlib import pyplot

    return list(np.ravel(pyplot.subplots(1, count, figsize=(PANEL_INCHES[0] * count, PANEL_INCHES[1]))[1]))
