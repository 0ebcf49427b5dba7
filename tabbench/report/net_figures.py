"""The figures of how a net was trained: its curves with incidents marked, and its weights by layer. Records in, inline SVG out.

A record is a row of `Comparison.training`. Empty text when there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.finding import Moment
from tabbench.report.drawing import Labels, drawing_settings, looks, stand_in, to_inline_svg
from tabbench.wording.numbers import known, rows

_WIDTH_INCHES = 10.0
_LEFT, _RIGHT, _BETWEEN = 0.045, 0.99, 0.055
_CURVES_HEIGHT, _WEIGHTS_HEIGHT = 2.55, 2.1
_MOST_LAYERS = 6
"""More panels side by side could not be read."""
_MANY_DEAD = 0.5
_NAME_POINTS = 52.0
"""Room for the name of a curve."""
_TICKS = ((10.0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)), (100.0, (1.0, 2.0, 5.0)), (float("inf"), (1.0,)))
"""Where in each decade a logarithmic axis of at most this ratio has ticks."""
_CODE_GAP = 0.045
"""Of a panel's width, between the codes of two incidents."""
_TYPICAL, _ROOM_ABOVE = 0.9, 1.3
"""A loss far above what most epochs have is cut, or all others would be a flat line."""


@dataclass(frozen=True)
class _Mark:
    epoch: int
    text: str


def training_curves(comparison: Comparison, record: Mapping[Any, Any], name: str) -> str:
    """Losses, learning rate and gradient norm by epoch; dashed where the guard stepped in, dotted at the best epoch."""
    curves, colour = record["curves"], looks(comparison)[record["approach"]].colour
    if not curves:
        return ""
    with drawing_settings(name):
        labels = Labels()
        figure, panels = _panels(3, _CURVES_HEIGHT, above=0.3)
        marks, best = _marks(comparison, record), median(record["best_epochs"])
        lines = (("loss", {"training": ("training_loss", stand_in("muted")), "validation": ("validation_loss", colour)}),
                 ("learning rate", {"": ("learning_rate", colour)}), ("gradient norm", {"": ("gradient_norm", colour)}))
        for axes, (title, of_panel) in zip(panels, lines, strict=True):
            series = {text: ([known(value) for value in curves[column]], own) for text, (column, own) in of_panel.items()}
            _draw_panel(axes, title, curves["epoch"], series, is_loss=title == "loss")
            _draw_marks(axes, marks, best, labels)
        title = f"Training of {record['approach']} by epoch"
        return to_inline_svg(figure, labels, name=name, title=title)


def weight_histograms(comparison: Comparison, record: Mapping[Any, Any], name: str) -> str:
    """A histogram of the weights of each layer, with their spread, the share of dead units and the update ratio."""
    layers, colour = record["layers"][:_MOST_LAYERS], looks(comparison)[record["approach"]].colour
    if not layers:
        return ""
    with drawing_settings(name):
        figure, panels = _panels(len(layers), _WEIGHTS_HEIGHT, above=0.46)
        for number, (axes, layer) in enumerate(zip(panels, layers, strict=True), start=1):
            counts, low, high = layer["counts"], layer["low"], layer["high"]
            width = (high - low) / len(counts) or 1.0
            axes.bar([low + (place + 0.5) * width for place in range(len(counts))], counts, width=0.9 * width, color=colour,
                     linewidth=0)
            axes.set_yscale("log")
            axes.set_ylim(bottom=0.7)
            axes.set_yticks([])
            axes.minorticks_off()
            axes.set_xticks([low, high], [_short(low), _short(high)])
            _write_above(axes, f"layer {number}" + (" (output)" if layer["dead_share"] is None else ""), _said(layer),
                         is_striking=(layer["dead_share"] or 0.0) > _MANY_DEAD)
        title = f"Weights of {record['approach']} by layer"
        return to_inline_svg(figure, Labels(), name=name, title=title)


def caption(record: Mapping[Any, Any]) -> str:
    """Which fit of the approach a record is about."""
    nets = "one net" if record["nets"] == 1 else f"medians over {record['nets']} nets"
    return (f"One fit of many: {rows(record['size'])} training rows, repeat {int(record['repeat']) + 1}, "
            f"fold {int(record['fold']) + 1}; {nets}.")


def _panels(count: int, height: float, *, above: float) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, height))
    width = (_RIGHT - _LEFT - _BETWEEN * (count - 1)) / count
    bottom = 0.42 / height
    return figure, [figure.add_axes((_LEFT + place * (width + _BETWEEN), bottom, width, 1 - bottom - above / height))
                    for place in range(count)]


def _draw_panel(axes: Any, title: str, epochs: Sequence[int], series: Mapping[str, tuple[list[float | None], str]], *,
                is_loss: bool) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator

    shown = [value for values, _ in series.values() for value in values if value is not None and (is_loss or value > 0)]
    for values, colour in series.values():
        points = [(epoch, value) for epoch, value in zip(epochs, values, strict=True)
                  if value is not None and (is_loss or value > 0)]
        axes.plot([epoch for epoch, _ in points], [value for _, value in points], color=colour, linewidth=1.8,
                  marker="o" if len(points) == 1 else None, markersize=4)
    if shown:
        low, high = _loss_limits(shown) if is_loss else (min(shown) / 1.3, max(shown) * 1.3)
        if not is_loss:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=next(subs for ratio, subs in _TICKS if high <= ratio * low)))
            axes.minorticks_off()
        axes.set_ylim(low, high)
    _name_curves(axes, {text: colour for text, (_, colour) in series.items() if text})
    axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    axes.grid(axis="y")
    axes.set_xlabel("epoch")
    _write_above(axes, title, "")


def _loss_limits(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    high = min(ordered[-1], ordered[int(_TYPICAL * (len(ordered) - 1))] * _ROOM_ABOVE) if ordered[0] > 0 else ordered[-1]
    room = 0.07 * (high - ordered[0]) or 0.07 * abs(high) or 0.07
    return ordered[0] - room, high + room


def _name_curves(axes: Any, colours: Mapping[str, str]) -> None:
    """The curves' names above the panel, from the right."""
    for place, (text, colour) in enumerate(reversed(list(colours.items()))):
        axes.annotate(text, (1, 1), (-place * _NAME_POINTS, 7), xycoords="axes fraction", textcoords="offset points", ha="right",
                      color=colour, fontsize=8.5)


def _marks(comparison: Comparison, record: Mapping[Any, Any]) -> list[_Mark]:
    """What happened in this fit, an entry an epoch: its codes, each with how often."""
    counts: dict[int, dict[str, int]] = {}
    for row in comparison.incidents.to_dict("records"):
        epoch = Moment.read(str(row["where"])).epoch
        if epoch is not None and all(row[key] == record[key] for key in ("approach", "size", "repeat", "fold")):
            of_epoch = counts.setdefault(epoch, {})
            of_epoch[str(row["code"])] = of_epoch.get(str(row["code"]), 0) + 1
    return [_Mark(epoch, ", ".join(code if count == 1 else f"{code} ×{count}" for code, count in codes.items()))
            for epoch, codes in sorted(counts.items())]


def _draw_marks(axes: Any, marks: Iterable[_Mark], best_epoch: float, labels: Labels) -> None:
    first, last = axes.get_xlim()
    latest = first - (last - first)
    if best_epoch:
        axes.axvline(best_epoch, color=stand_in("muted"), linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    for mark in marks:
        axes.axvline(mark.epoch, color=stand_in("warn"), linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        if mark.epoch - latest >= _CODE_GAP * (last - first):  # a code for each of many epochs would be a smear
            axes.annotate(labels.hold(mark.text), (mark.epoch, 1.0), (3, -3), xycoords=("data", "axes fraction"),
                          textcoords="offset points", rotation=90, va="top", ha="left", color=stand_in("warn"), fontsize=7.5)
            latest = mark.epoch
    axes.set_xlim(first, last)


def _write_above(axes: Any, title: str, said: str, *, is_striking: bool = False) -> None:
    axes.annotate(title, (0, 1), (0, 19 if said else 7), xycoords="axes fraction", textcoords="offset points",
                  color=stand_in("ink"))
    if said:
        axes.annotate(said, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", fontsize=8,
                      color=stand_in("warn" if is_striking else "muted"))


def _said(layer: Mapping[str, Any]) -> str:
    dead, ratio = layer["dead_share"], layer["update_ratio"]
    return " · ".join([f"spread {_short(layer['spread'])}", *([] if dead is None else [f"{dead:.0%} dead"]),
                       *([] if ratio is None else [f"update {_short(ratio)}"])])


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
