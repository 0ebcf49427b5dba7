"""The figure that answers the suite's question: how often each approach is ahead of the others, by number of training rows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.drawing import Labels, drawing_settings, looks_of, spread, stand_in, to_inline_svg
from tabbench.verdict.across.buckets import SIZE_BUCKETS
from tabbench.wording.suite import tables_in

_WIDTH_INCHES, _HEIGHT_INCHES = 10.0, 3.9
_LABEL_GAP = 0.055
"""Between two names at the right end, in shares of the axis."""
_SIDE_STEP = 0.045
"""By how much approaches stand side by side in a bucket, so that no interval hides another."""


def ranks_by_size(result: SuiteResult) -> str:
    """Mean rank in each bucket with its interval over tables; empty text where there is a single bucket."""
    ranks = result.ranks[result.ranks["bucket"] != ALL]
    buckets = [bucket.name for bucket in SIZE_BUCKETS if bucket.name in set(ranks["bucket"])]
    if len(buckets) < 2:
        return ""
    with drawing_settings("ranks-by-size"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks_of(result.families)
        figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES))
        axes = figure.add_axes((0.045, 0.15, 0.83, 0.76))
        most = ranks.groupby("bucket")["approach"].count().max()
        axes.set_ylim(most + 0.3, 0.7)
        axes.set_xlim(-0.4, len(buckets) - 0.6)
        axes.grid(axis="y")
        axes.set_yticks(range(1, most + 1))
        counts = dict(zip(result.verdicts["bucket"], result.verdicts["tables"], strict=True))
        axes.set_xticks(range(len(buckets)), [f"{bucket} rows\n{tables_in(counts[bucket])}" for bucket in buckets])
        names = [name for name in result.families if name in set(ranks["approach"])]
        for place, name in enumerate(names):
            shift = (place - (len(names) - 1) / 2) * _SIDE_STEP
            _draw(axes, ranks[ranks["approach"] == name], buckets, shift, styles[name])
        _label(axes, ranks, names, buckets, styles, labels)
        axes.annotate("mean rank, 1 is best", (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points",
                      color=stand_in("muted"))
        return to_inline_svg(figure, labels, name="ranks-by-size", title="Mean rank of every approach by number of training rows")


def _draw(axes: Any, ranks: pd.DataFrame, buckets: list[str], shift: float, look: Any) -> None:
    own = ranks.set_index("bucket").reindex(buckets)
    places = [place + shift for place in range(len(buckets))]
    axes.vlines(places, own["low"], own["high"], color=look.colour, linewidth=4, alpha=0.22)
    axes.plot(places, own["mean_rank"], color=look.colour, marker=look.marker, linewidth=1.4, markersize=5.5)


def _label(axes: Any, ranks: pd.DataFrame, names: list[str], buckets: list[str], styles: dict[str, Any], labels: Labels) -> None:
    """Each name at the height of its last point, pushed apart where they would overlap."""
    last = {name: own[own["bucket"] == max(own["bucket"], key=buckets.index)]["mean_rank"].iloc[0]
            for name in names if len(own := ranks[ranks["approach"] == name])}
    bottom, top = axes.get_ylim()
    wanted = [(rank - bottom) / (top - bottom) for rank in last.values()]
    for name, height in zip(last, spread(wanted, _LABEL_GAP, 0.0, 1.0), strict=True):
        axes.annotate(labels.name(name), (1.01, height), xycoords="axes fraction", va="center", color=styles[name].colour,
                      annotation_clip=False)
