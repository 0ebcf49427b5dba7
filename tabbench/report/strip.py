"""All approaches at all sizes at a glance: dark wins, light is unbeaten, grey is beaten, and by how much at least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.phrases import measured
from tabbench.report.drawing import Labels, Look, drawing_settings, looks, stand_in, to_inline_svg
from tabbench.wording.numbers import rows
from tabbench.wording.safe_text import shorten

_WIDTH_INCHES, _ROW_INCHES, _LETTERS = 10.0, 0.3, 22
_WINS, _UNBEATEN, _BEATEN = 0.8, 0.25, 0.12
"""How strongly a cell is filled."""


def strip(comparison: Comparison) -> str:
    """The figure as inline SVG; empty text where fewer than two sizes were judged."""
    sizes = comparison.winners["size"].tolist()
    if len(sizes) < 2:
        return ""
    names = [name for name in comparison.approaches["name"] if name in set(comparison.scores["approach"])]
    with drawing_settings("strip"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        height = _ROW_INCHES * len(names) + 0.6
        figure = Figure(figsize=(_WIDTH_INCHES, height))
        axes = figure.add_axes((0.17, 0.45 / height, 0.82, _ROW_INCHES * len(names) / height))
        axes.set_xlim(0, len(sizes))
        axes.set_ylim(len(names), 0)
        for across, winner in enumerate(comparison.winners.to_dict("records")):
            worse = least_worse(comparison, winner["size"])
            for down, name in enumerate(names):
                if name in worse:
                    _draw_cell(axes, across, down, styles.get(name), _state(winner, name, worse), labels)
        axes.set_xticks([place + 0.5 for place in range(len(sizes))], [rows(each) for each in sizes])
        axes.set_yticks([place + 0.5 for place in range(len(names))], [labels.hold(shorten(name, _LETTERS)) for name in names])
        axes.tick_params(length=0)
        axes.set_xlabel("training rows")
        return to_inline_svg(figure, labels, name="strip", title="Which approaches win, are unbeaten or beaten at each size")


def least_worse(comparison: Comparison, size: int) -> dict[str, float]:
    """By how much each approach that was run at a size is shown to be worse than some other; 0 for one that is not."""
    worse: dict[str, float] = dict.fromkeys(comparison.scores.loc[comparison.scores["size"] == size, "approach"], 0.0)
    for row in comparison.pairs[comparison.pairs["size"] == size].itertuples():
        if row.decision.startswith("first"):
            worse[row.second] = max(worse[row.second], -row.high)
        elif row.decision.startswith("second"):
            worse[row.first] = max(worse[row.first], row.low)
    return worse


def _state(winner: Mapping[str, Any], name: str, worse: Mapping[str, float]) -> tuple[float, str]:
    """How strongly the cell is filled, and what stands in it."""
    if winner["decision"] == "winner" and name in winner["approaches"]:
        return _WINS, "wins"
    if worse[name] > 0:
        return _BEATEN, f"worse by ≥ {measured(worse[name])}"
    return _UNBEATEN, "recommended" if name == winner["recommended"] else ""


def _draw_cell(axes: Any, across: int, down: int, look: Look | None, state: tuple[float, str], labels: Labels) -> None:
    from matplotlib.patches import Rectangle

    strength, text = state
    colour = stand_in("muted") if strength == _BEATEN or look is None else look.colour
    axes.add_patch(Rectangle((across + 0.01, down + 0.06), 0.98, 0.88, edgecolor="none", facecolor=colour, alpha=strength))
    axes.annotate(labels.hold(text), (across + 0.5, down + 0.5), ha="center", va="center", fontsize=7.5,
                  color=stand_in("muted" if strength == _BEATEN else "ink"))
