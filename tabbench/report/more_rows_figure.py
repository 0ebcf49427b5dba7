"""The figure of more rows: measured curves solid with their bands, continued ones dashed with theirs. Inline SVG.

Empty text when nothing was continued.
"""

from __future__ import annotations

from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.report.drawing import Labels, Look, drawing_settings, looks, spread, stand_in, to_inline_svg
from tabbench.report.standings import deciding_scores, full_size
from tabbench.wording.numbers import known, rows
from tabbench.wording.terms import better_is, metric_title

_HEIGHT_INCHES = 4.0
_LABEL_GAP = 0.055
"""Of the plot's height, between two names."""
_ROOM = 0.05
_TYPICAL_SHARE = 0.125
"""The curves' steep beginning would flatten all the rest: what lies below this share of the full size sets no limits."""


def more_rows_figure(comparison: Comparison) -> str:
    """Score by training rows up to four times the full size; a line stands at the full size."""
    full = full_size(comparison)
    if full is None or comparison.extrapolated_scores.empty:
        return ""
    names = list(dict.fromkeys(comparison.extrapolated_scores["approach"]))
    with drawing_settings("more-rows"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        figure = Figure(figsize=(10.0, _HEIGHT_INCHES))
        axes = figure.add_axes((0.06, 0.5 / _HEIGHT_INCHES, 0.8, 1 - 0.9 / _HEIGHT_INCHES))
        axes.set_xscale("log")
        curves = {name: (_measured(comparison, name), _continued(comparison, name)) for name in names}
        for name, (measured, continued) in curves.items():
            _draw(axes, measured, styles[name], is_dashed=False)
            _draw(axes, [measured[-1], *continued], styles[name], is_dashed=True)
        _set_limits(axes, full, curves)
        axes.axvline(full, color=stand_in("muted"), linewidth=1.0)
        axes.grid(axis="y")
        axes.set_xlabel("training rows; measured up to the line, extrapolated beyond it")
        axes.annotate(f"{metric_title(comparison)}  {better_is(comparison)}", (0, 1), (0, 8), xycoords="axes fraction",
                      textcoords="offset points", color=stand_in("muted"))
        _name_curves(axes, curves, styles, labels)
        return to_inline_svg(figure, labels, name="more-rows", title="Learning curves, continued to four times the rows")


_Point = tuple[int, float, float, float]
"""Size, mean, low, high."""

_Curves = dict[str, tuple[list[_Point], list[_Point]]]
"""Measured and continued points by approach."""


def _measured(comparison: Comparison, name: str) -> list[_Point]:
    scored = deciding_scores(comparison)
    return _points(scored[scored["approach"] == name])


def _continued(comparison: Comparison, name: str) -> list[_Point]:
    frame = comparison.extrapolated_scores
    return _points(frame[frame["approach"] == name])


def _points(frame: Any) -> list[_Point]:
    found = []
    for row in frame.sort_values("size").to_dict("records"):
        mean = known(row["mean"])
        if mean is not None:
            low, high = known(row["low"]), known(row["high"])
            found.append((int(row["size"]), mean, mean if low is None else low, mean if high is None else high))
    return found


def _draw(axes: Any, points: list[_Point], look: Look, *, is_dashed: bool) -> None:
    sizes, means, lows, highs = zip(*points, strict=True)
    axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.1, linewidth=0, zorder=2)
    axes.plot(sizes, means, color=look.colour, linewidth=2.0, linestyle=(0, (4, 2)) if is_dashed else "-",
              marker=None if is_dashed else look.marker, markersize=4.5, zorder=3)


def _set_limits(axes: Any, full: int, curves: _Curves) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    points = [point for parts in curves.values() for part in parts for point in part]
    shown = [value for size, mean, _, _ in points if size >= _TYPICAL_SHARE * full for value in (mean,)]
    shown += [bound for size, _, *bounds in points if size >= full for bound in bounds]
    room = _ROOM * (max(shown) - min(shown)) or 1.0
    axes.set_ylim(min(shown) - room, max(shown) + room)
    sizes = sorted({size for size, *_ in points})
    axes.set_xlim(sizes[0] / 1.08, sizes[-1] * 1.08)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: rows(value))


def _name_curves(axes: Any, curves: _Curves, styles: dict[str, Look], labels: Labels) -> None:
    low, high = axes.get_ylim()
    wanted = [min(1.0, max(0.0, (continued[-1][1] - low) / (high - low))) for _, continued in curves.values()]
    for name, place in zip(curves, spread(wanted, _LABEL_GAP, 0.0, 1.0), strict=True):
        axes.annotate(labels.name(name), (1.012, place), xycoords="axes fraction", va="center", color=styles[name].colour,
                      annotation_clip=False)
