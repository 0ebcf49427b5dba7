"""What the approaches cost and what that buys: fit time in units of the reference's against mean rank."""

from __future__ import annotations

import math
from typing import Any

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.drawing import Labels, drawing_settings, looks_of, stand_in, to_inline_svg

NAME_HEIGHT, NAME_DECADES = 0.06, 0.3
"""About the size of a name in the figure, as shares of all ranks and in decades of time."""


def cost_and_rank(result: SuiteResult) -> str:
    """A point an approach with both intervals over tables; empty text where no time was measured against the reference."""
    ranks = result.ranks[result.ranks["bucket"] == ALL]
    costs = result.relative_costs[result.relative_costs["bucket"] == ALL]
    points = ranks.merge(costs, on="approach", suffixes=("", "_cost")).to_dict("records")
    if not points:
        return ""
    with drawing_settings("cost-and-rank"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks_of(result.families)
        figure = Figure(figsize=(10.0, 3.6))
        axes = figure.add_axes((0.045, 0.14, 0.86, 0.76))
        axes.set_xscale("log")
        axes.set_ylim(len(ranks) + 0.3, 0.7)
        axes.grid(axis="both")
        axes.set_yticks(range(1, len(ranks) + 1))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g} ×")
        axes.xaxis.set_minor_formatter(lambda *_: "")
        points.sort(key=lambda point: point["mean_rank"])
        is_below = False
        for above, point in zip([None, *points], points, strict=False):
            is_below = not is_below and _is_near(above, point, len(ranks))
            _draw(axes, point, styles[point["approach"]], labels, is_named_below=is_below)
        axes.set_xlabel(f"fit time, in fits of {result.protocol['cost_reference']} on the same table and rows")
        axes.annotate("mean rank, 1 is best", (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points",
                      color=stand_in("muted"))
        return to_inline_svg(figure, labels, name="cost-and-rank", title="Mean rank against relative fit time")


def _is_near(above: dict[Any, Any] | None, point: dict[Any, Any], ranks: int) -> bool:
    """Whether the names of two points would lie on each other."""
    return (above is not None and point["mean_rank"] - above["mean_rank"] < ranks * NAME_HEIGHT
            and abs(math.log10(point["fit_time"] / above["fit_time"])) < NAME_DECADES)


def _draw(axes: Any, point: dict[Any, Any], look: Any, labels: Labels, *, is_named_below: bool) -> None:
    axes.plot([point["low_cost"], point["high_cost"]], [point["mean_rank"]] * 2, color=look.colour, linewidth=3, alpha=0.25)
    axes.plot([point["fit_time"]] * 2, [point["low"], point["high"]], color=look.colour, linewidth=3, alpha=0.25)
    axes.plot([point["fit_time"]], [point["mean_rank"]], marker=look.marker, color=look.colour, markersize=7)
    axes.annotate(labels.name(point["approach"]), (point["fit_time"], point["mean_rank"]), (9, -14 if is_named_below else 6),
                  textcoords="offset points", color=look.colour, annotation_clip=False)
