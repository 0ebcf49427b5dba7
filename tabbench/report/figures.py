"""The figures of a report: one function a figure, a `Comparison` in, an inline SVG out.

Empty text when there is nothing to draw. How figures look and become SVG is `drawing`'s work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.report.drawing import Labels, Look, drawing_settings, looks, spread, stand_in, thinned, to_inline_svg
from tabbench.report.standings import Standing, deciding_scores, families, full_size, standings, winner_at
from tabbench.wording.numbers import decimals_for, fixed, known, rows, signed
from tabbench.wording.terms import better_is, metric_title

_POINTS_PER_INCH = 72.0
_LABEL_GAP_POINTS = 12.0
_LETTER_POINTS = 4.9
_LABEL_STEPS = (0.0, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0, 3.0, -3.0)
"""Where a label may go that finds its place beside the point taken, in lines up or down."""

_FEW_APPROACHES = 4
"""So many curves can all be emphasised without hiding one another."""

_PADDING = 0.07
_ROOM_ABOVE_CONSTANT = 0.1


@dataclass(frozen=True)
class _Curve:
    name: str
    sizes: list[int]
    means: list[float]
    lows: list[float]
    highs: list[float]


def score_by_size(comparison: Comparison) -> str:
    """Every approach's score against the number of training rows (logarithmic), with brackets for the crossings above.

    One size alone makes no curve.
    """
    curves = _curves(comparison)
    if len({size for curve in curves for size in curve.sizes}) < 2:
        return ""
    brackets = [row for row in comparison.crossovers.to_dict("records") if _is_drawn(row)]
    with drawing_settings("score-by-size"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        strip = 0.2 * len(brackets) + (0.12 if brackets else 0.0)
        height = 4.7 + strip
        figure = Figure(figsize=(10.0, height))
        axes = figure.add_axes((0.06, 0.5 / height, 0.8, (4.7 - 0.5 - 0.36) / height))
        _set_sizes(axes, curves)
        limits = _score_limits(comparison, [(curve.name, value) for curve in curves for value in curve.means])
        axes.set_ylim(*limits)
        axes.grid(axis="y")
        _draw_curves(axes, comparison, curves, styles)
        _label_curves(axes, curves, styles, labels, limits)
        axes.set_xlabel("training rows")
        axes.annotate(f"{metric_title(comparison)}  {better_is(comparison)}", (0, 1), (0, 8), xycoords="axes fraction",
                      textcoords="offset points", color=stand_in("muted"))
        if brackets:
            above = figure.add_axes((0.06, (4.7 + 0.02) / height, 0.8, (strip - 0.06) / height), sharex=axes)
            _draw_brackets(above, axes, brackets, labels)
        return to_inline_svg(figure, labels, name="score-by-size", title="Score of every approach by number of training rows")


def difference_to_best(comparison: Comparison) -> str:
    """Each approach's difference to the best at the full size, with its simultaneous interval and the margin as a zone."""
    size = full_size(comparison)
    table = [] if size is None else [each for each in standings(comparison, size) if each.is_best or each.difference is not None]
    if len(table) < 2:
        return ""
    decimals = decimals_for(table[0].mean)
    with drawing_settings("difference-to-best"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        height = 0.62 + 0.27 * len(table)
        figure = Figure(figsize=(5.0, height))
        axes = figure.add_axes((0.245, 0.46 / height, 0.615, (height - 0.5) / height))
        low, high = _difference_limits(comparison, table)
        axes.set_xlim(low, high)
        axes.set_ylim(len(table) - 0.5, -0.5)
        margin = known(comparison.protocol.get("margin"))
        if margin:
            axes.axvspan(-margin, margin, color=stand_in("zone"), linewidth=0, zorder=0)
        axes.axvline(0, color=stand_in("muted"), linewidth=0.9)
        for place, each in enumerate(table):
            _draw_difference(axes, place, each, styles[each.approach])
            text = labels.hold("best" if each.is_best else signed(each.difference, decimals))
            axes.annotate(text, (1.03, place), xycoords=("axes fraction", "data"), va="center", color=stand_in("muted"))
        axes.set_yticks(range(len(table)), [labels.name(each.approach) for each in table], color=stand_in("ink"))
        axes.xaxis.set_major_locator(_locator(5))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.5g}".replace("-", "−"))
        axes.set_xlabel("loss minus the best one's loss (more is worse)")
        return to_inline_svg(figure, labels, name="difference-to-best", title="Difference of every approach to the best one")


def time_and_score(comparison: Comparison) -> str:
    """Score against fit time (logarithmic) at the full size; the line joins the Pareto front."""
    size = full_size(comparison)
    table = [] if size is None else standings(comparison, size)
    points = [(each, each.fit_seconds, each.mean) for each in table if each.fit_seconds and each.mean is not None]
    if not points:
        return ""
    with drawing_settings("time-and-score"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        height = max(3.05, 0.62 + 0.27 * len(table))
        figure = Figure(figsize=(5.0, height))
        axes = figure.add_axes((0.1, 0.46 / height, 0.7, (height - 0.84) / height))
        limits = _score_limits(comparison, [(each.approach, mean) for each, _, mean in points])
        axes.set_ylim(*limits)
        axes.set_xscale("log")
        seconds = [each for _, each, _ in points]
        axes.set_xlim(min(seconds) / 1.5, max(seconds) * 1.5)
        axes.grid(axis="both")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.xaxis.set_minor_formatter(lambda *_: "")
        shown = [(second, mean) for _, second, mean in points if limits[0] <= mean <= limits[1]]
        front = _front(shown, lower=comparison.protocol["direction"] == "lower")
        axes.plot([second for second, _ in front], [mean for _, mean in front], color=stand_in("muted"), linewidth=1, alpha=0.5)
        _draw_points(axes, points, styles, labels, limits)
        axes.set_xlabel("fit time, seconds")
        axes.annotate(f"{metric_title(comparison)}  {better_is(comparison)}", (0, 1), (0, 14), xycoords="axes fraction",
                      textcoords="offset points", color=stand_in("muted"))
        return to_inline_svg(figure, labels, name="time-and-score", title="Score against fit time")


def _curves(comparison: Comparison) -> list[_Curve]:
    scored = deciding_scores(comparison)
    found = []
    for name in families(comparison):
        own = scored[scored["approach"] == name].sort_values("size")
        defined = [row for row in own.to_dict("records") if known(row["mean"]) is not None]
        if defined:
            means = [float(row["mean"]) for row in defined]
            found.append(_Curve(
                name, [int(row["size"]) for row in defined], means,
                [mean if known(row["low"]) is None else float(row["low"]) for mean, row in zip(means, defined, strict=True)],
                [mean if known(row["high"]) is None else float(row["high"]) for mean, row in zip(means, defined, strict=True)],
            ))
    return found


def _set_sizes(axes: Any, curves: list[_Curve]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    sizes = sorted({size for curve in curves for size in curve.sizes})
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.12, sizes[-1] * 1.02)
    reach = math.log10(axes.get_xlim()[1] / axes.get_xlim()[0])
    shown = {round(10**position) for position in thinned([math.log10(size) for size in sizes], 0.065 * reach)}
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: rows(value) if round(value) in shown else "")


def _score_limits(comparison: Comparison, values: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """Limits for all but the constant predictor; what is worse than it gets no room, or the rest would be a flat line."""
    family = families(comparison)
    sign = 1.0 if comparison.protocol["direction"] == "lower" else -1.0
    losses = [sign * value for name, value in values if family.get(name) != "baseline"] or [sign * value for _, value in values]
    constant = [sign * value for name, value in values if family.get(name) == "baseline"]
    best, worst = min(losses), max(losses)
    if constant and best < constant[-1] < worst:
        worst = constant[-1] + _ROOM_ABOVE_CONSTANT * (constant[-1] - best)
    room = _PADDING * (worst - best) or _PADDING * abs(best) or _PADDING
    low, high = sorted((sign * (best - room), sign * (worst + room)))
    return low, high


def _emphasised(comparison: Comparison, curves: list[_Curve]) -> set[str]:
    """The best at the full size and whatever a crossing is about; all when they are few."""
    names = {curve.name for curve in curves}
    if len(names) <= _FEW_APPROACHES:
        return names
    size = full_size(comparison)
    winner = {} if size is None else winner_at(comparison, size) or {}
    crossing = set(comparison.crossovers["first"]) | set(comparison.crossovers["second"])
    return names & (crossing | {winner.get("best")})


def _draw_curves(axes: Any, comparison: Comparison, curves: list[_Curve], styles: dict[str, Look]) -> None:
    emphasised = _emphasised(comparison, curves)
    for curve in curves:
        look, is_emphasised = styles[curve.name], curve.name in emphasised
        if is_emphasised:
            axes.fill_between(curve.sizes, curve.lows, curve.highs, color=look.colour, alpha=0.1, linewidth=0, zorder=2)
        axes.plot(curve.sizes, curve.means, color=look.colour, marker=look.marker, linewidth=2.2 if is_emphasised else 1.1,
                  markersize=5 if is_emphasised else 3.5, zorder=4 if is_emphasised else 3)


def _label_curves(
    axes: Any, curves: list[_Curve], styles: dict[str, Look], labels: Labels, limits: tuple[float, float],
) -> None:
    """Names at the right end of the curves, pushed apart where they would overlap."""
    low, high = limits
    height = axes.get_position().height * axes.figure.get_figheight() * _POINTS_PER_INCH
    wanted = [min(1.0, max(0.0, (curve.means[-1] - low) / (high - low))) for curve in curves]
    placed = spread(wanted, _LABEL_GAP_POINTS / height, 0.0, 1.0)
    decimals = decimals_for(min((abs(curve.means[-1]) for curve in curves), default=None))
    for curve, start, end in zip(curves, wanted, placed, strict=True):
        look = styles[curve.name]
        axes.plot([1.0, 1.018, 1.028], [start, end, end], transform=axes.transAxes, color=look.colour, linewidth=0.8,
                  clip_on=False, solid_joinstyle="round")
        axes.annotate(labels.name(curve.name) + _outside(curve.means[-1], limits, labels, decimals), (1.034, end),
                      xycoords="axes fraction", va="center", color=look.colour, annotation_clip=False)


def _outside(value: float, limits: tuple[float, float], labels: Labels, decimals: int) -> str:
    if limits[0] <= value <= limits[1]:
        return ""
    return " " + labels.hold(f"{fixed(value, decimals)} {'↑' if value > limits[1] else '↓'}")


def _is_drawn(row: dict[Any, Any]) -> bool:
    return row["kind"] in ("bracket", "several", "open") and (known(row["low"]) is not None or known(row["high"]) is not None)


def _draw_brackets(above: Any, axes: Any, brackets: list[dict[Any, Any]], labels: Labels) -> None:
    """A bar from the lower to the upper end of each crossing, fading lines below it down into the plot."""
    above.set_ylim(len(brackets) - 0.5, -0.5)
    above.axis("off")
    first, last = axes.get_xlim()
    for place, row in enumerate(brackets):
        low, high, point = known(row["low"]), known(row["high"]), known(row["point"])
        start, end = low or first, high or last
        above.plot([start, end], [place, place], color=stand_in("muted"), linewidth=3.5, solid_capstyle="butt", alpha=0.55)
        if row["kind"] == "open" and (low is None or high is None):
            arrow = ">" if high is None else "<"
            tip = end if high is None else start
            above.plot([tip], [place], marker=arrow, color=stand_in("muted"), markersize=7, clip_on=False)
        if point is not None:
            above.plot([point], [place], marker="o", color=stand_in("ink"), markersize=5)
            axes.axvline(point, color=stand_in("muted"), linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
        is_left = math.sqrt(start * end) > math.sqrt(first * last)
        above.annotate(labels.hold(f"{row['first']} × {row['second']}"), (start if is_left else end, place),
                       (-7 if is_left else 7, 0), textcoords="offset points", va="center", ha="right" if is_left else "left",
                       color=stand_in("muted"), fontsize=8.5)


def _difference_limits(comparison: Comparison, table: list[Standing]) -> tuple[float, float]:
    family = families(comparison)
    shown = [each for each in table if family.get(each.approach) != "baseline"] or table
    margin = known(comparison.protocol.get("margin")) or 0.0
    lows = [each.difference_low for each in shown if each.difference_low is not None]
    highs = [each.difference_high for each in shown if each.difference_high is not None]
    constant = [each.difference for each in table if family.get(each.approach) == "baseline" and each.difference is not None]
    low, high = min([-margin, 0.0, *lows]), max([margin, 0.0, *highs])
    if constant and constant[0] > 0:
        # An approach that is far worse than the constant predictor must not press all others together.
        high = min(high, max(margin, 1.3 * constant[0]))
    room = _PADDING * (high - low) or 1.0
    return low - room, high + room


def _draw_difference(axes: Any, place: int, each: Standing, look: Look) -> None:
    low_end, high_end = axes.get_xlim()
    value = each.difference or 0.0
    if value > high_end:
        axes.plot([high_end], [place], marker=">", color=look.colour, markersize=7, clip_on=False)
    else:
        if each.difference_low is not None and each.difference_high is not None:
            ends = [max(low_end, each.difference_low), min(high_end, each.difference_high)]
            axes.plot(ends, [place, place], color=look.colour, linewidth=2.2, solid_capstyle="round")
        axes.plot([value], [place], marker=look.marker, color=look.colour, markersize=6)


def _locator(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most)


def _front(points: list[tuple[float, float]], *, lower: bool) -> list[tuple[float, float]]:
    """The Pareto front of time and score, by time."""
    front: list[tuple[float, float]] = []
    for seconds, mean in sorted(points, key=lambda point: (point[0], point[1] if lower else -point[1])):
        if not front or (mean < front[-1][1] if lower else mean > front[-1][1]):
            front.append((seconds, mean))
    return front


def _draw_points(
    axes: Any, points: list[tuple[Standing, float, float]], styles: dict[str, Look], labels: Labels, limits: tuple[float, float],
) -> None:
    """Points with their names beside them; a name moves up or down until it hides none that is already there."""
    box = axes.get_position()
    width = box.width * axes.figure.get_figwidth() * _POINTS_PER_INCH
    height = box.height * axes.figure.get_figheight() * _POINTS_PER_INCH
    first, last = axes.get_xlim()
    decimals = decimals_for(min(abs(mean) for _, _, mean in points))
    spots = []
    for _, seconds, mean in points:
        shown = min(limits[1], max(limits[0], mean))
        up = (shown - limits[0]) / (limits[1] - limits[0]) * height
        spots.append((shown, math.log(seconds / first) / math.log(last / first) * width, up))
    taken = [(across - 5.0, across + 5.0, up) for _, across, up in spots]
    for (each, seconds, mean), (shown, across, up) in zip(points, spots, strict=True):
        look = styles[each.approach]
        text = labels.name(each.approach) + _outside(mean, limits, labels, decimals)
        left, right = across + 7.0, across + 8.0 + _LETTER_POINTS * len(labels.put_in(text))
        step = next((step for step in _LABEL_STEPS if _is_free(taken, left, right, up + step * _LABEL_GAP_POINTS)), 0)
        taken.append((left, right, up + step * _LABEL_GAP_POINTS))
        axes.plot([seconds], [shown], marker=look.marker, color=look.colour, markersize=7, clip_on=False, zorder=5)
        axes.annotate(text, (seconds, shown), (8, step * _LABEL_GAP_POINTS), textcoords="offset points", va="center",
                      color=look.colour, annotation_clip=False)


def _is_free(taken: list[tuple[float, float, float]], left: float, right: float, up: float) -> bool:
    return all(right < other_left or left > other_right or abs(up - level) >= _LABEL_GAP_POINTS * 0.9
               for other_left, other_right, level in taken)
