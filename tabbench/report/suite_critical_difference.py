"""The critical-difference diagram: approaches on the line of mean ranks, and bars over those that no test tells apart."""

from __future__ import annotations

from typing import Any

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.drawing import Labels, drawing_settings, looks_of, stand_in, to_inline_svg
from tabbench.wording.numbers import fixed

_WIDTH_INCHES = 10.0
_LINE_INCHES, _BAR_INCHES, _TOP_INCHES = 0.24, 0.13, 0.42


def critical_difference(result: SuiteResult, bucket: str = ALL) -> str:
    """Mean ranks over a bucket's tables with the cliques of Wilcoxon's tests under Holm's correction; empty for one approach."""
    ranks = result.ranks[result.ranks["bucket"] == bucket].sort_values("mean_rank", kind="stable")
    if len(ranks) < 2:
        return ""
    cliques = list(result.cliques[result.cliques["bucket"] == bucket]["approaches"])
    with drawing_settings("critical-difference"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks_of(result.families)
        left = (len(ranks) + 1) // 2
        height = _TOP_INCHES + _BAR_INCHES * (len(cliques) + 1) + _LINE_INCHES * left + 0.08
        figure = Figure(figsize=(_WIDTH_INCHES, height))
        axes = figure.add_axes((0.2, 0, 0.6, 1))
        axes.set_xlim(0.9, len(ranks) + 0.1)
        axes.set_ylim(0, height)
        axes.axis("off")
        rule = height - _TOP_INCHES
        _draw_rule(axes, len(ranks), rule)
        rank_of = dict(zip(ranks["approach"], ranks["mean_rank"], strict=True))
        for place, clique in enumerate(cliques):
            ends = [rank_of[clique[0]] - 0.03, rank_of[clique[-1]] + 0.03]
            axes.plot(ends, [rule - _BAR_INCHES * (place + 1)] * 2, color=stand_in("ink"), linewidth=3.2, solid_capstyle="butt")
        below = rule - _BAR_INCHES * (len(cliques) + 1)
        for place, (name, rank) in enumerate(rank_of.items()):
            is_left = place < left
            line = below - _LINE_INCHES * (place if is_left else len(ranks) - 1 - place) - 0.1
            _draw_name(axes, labels.name(name) + "  " + fixed(rank, 2), rank, (rule, line), styles[name].colour, is_left=is_left)
        return to_inline_svg(figure, labels, name="critical-difference", title="Critical-difference diagram of mean ranks")


def _draw_rule(axes: Any, most: int, height: float) -> None:
    axes.plot([1, most], [height, height], color=stand_in("muted"), linewidth=1)
    for rank in range(1, most + 1):
        axes.plot([rank, rank], [height, height + 0.06], color=stand_in("muted"), linewidth=1)
        axes.annotate(str(rank), (rank, height + 0.1), ha="center", va="bottom", color=stand_in("muted"))


def _draw_name(axes: Any, text: str, rank: float, heights: tuple[float, float], colour: str, *, is_left: bool) -> None:
    """A line from the rank down to the name's line, and on to the side."""
    low, high = axes.get_xlim()
    side = low if is_left else high
    axes.plot([rank, rank, side], [heights[0], heights[1], heights[1]], color=colour, linewidth=1.1)
    axes.plot([rank], [heights[0]], marker="o", color=colour, markersize=5)
    axes.annotate(text, (side, heights[1]), (-5 if is_left else 5, 0), textcoords="offset points", va="center",
                  ha="right" if is_left else "left", color=colour, annotation_clip=False)
