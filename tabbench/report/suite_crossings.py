"""All crossings in one picture: each table a bar over its training sizes; the share of tables on which each family leads."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabbench.core.suite_result import SuiteResult
from tabbench.report.drawing import Labels, drawing_settings, looks_of, stand_in, to_inline_svg
from tabbench.verdict.across.crossed import STEPS
from tabbench.wording.numbers import rows
from tabbench.wording.safe_text import shorten
from tabbench.wording.suite import step_state, step_title

_WIDTH_INCHES = 10.0
_ROW_INCHES, _SHARE_INCHES, _HEAD_INCHES, _GAP_INCHES = 0.19, 0.95, 0.3, 0.56
_FEW_DECADES = 100.0
"""Sizes within such a ratio have marks at 1, 2 and 5 of a decade, others at its beginning."""
LONGEST_TABLE = 26
"""Characters of a table's name that have room beside its bar."""
FEWEST_TABLES = 5
"""A share of fewer tables is not drawn, if there are sizes that more of them have: it would be the loudest and say the least."""
_ORDER = ("ahead", "crossed", "several", "back", "undecided", "behind")
"""Bars by what is shown of the second family, from most to least."""


def crossing_figures(result: SuiteResult) -> list[tuple[str, str]]:
    """For each step from one family to the next that was followed anywhere: its title and its figure."""
    return [(step_title(*step), _figure(result, step)) for step in STEPS if len(_of_step(result.crossovers, step))]


def _of_step(crossovers: pd.DataFrame, step: tuple[str, str]) -> pd.DataFrame:
    return crossovers[(crossovers["from_family"] == step[0]) & (crossovers["to_family"] == step[1])
                      & (crossovers["state"] != "not run")]


def _figure(result: SuiteResult, step: tuple[str, str]) -> str:
    own, name = _of_step(result.crossovers, step), f"crossings-{step[0]}-{step[1]}"
    bars = _in_order(own)
    height = _HEAD_INCHES + _ROW_INCHES * len(bars) + _GAP_INCHES + _SHARE_INCHES + _GAP_INCHES
    with drawing_settings(name):
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator

        labels, colours = Labels(), {family: look.colour for family, look in looks_of({each: each for each in step}).items()}
        figure = Figure(figsize=(_WIDTH_INCHES, height))
        rows_height = _ROW_INCHES * len(bars)
        above = figure.add_axes((0.19, 1 - (_HEAD_INCHES + rows_height) / height, 0.66, rows_height / height))
        below = figure.add_axes((0.19, _GAP_INCHES / height, 0.66, _SHARE_INCHES / height), sharex=above)
        above.set_xscale("log")
        low, high = own["from_size"].min() / 1.05, own["to_size"].max() * 1.05
        above.set_xlim(low, high)
        above.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > _FEW_DECADES * low else (1.0, 2.0, 5.0)))
        _draw_bars(above, own, bars, step, colours, labels)
        _draw_shares(below, result.crossed, step, colours)
        _draw_legend(above, step, colours)
        return to_inline_svg(figure, labels, name=name, title=step_title(*step))


def _in_order(own: pd.DataFrame) -> list[tuple[str, str]]:
    """(table, state) in the order of the bars."""
    reach = own.groupby("table")["to_size"].max()
    found = dict(zip(own["table"], own["state"], strict=True))
    return sorted(found.items(), key=lambda item: (_ORDER.index(item[1]), -reach[item[0]], item[0]))


def _draw_bars(axes: Any, own: pd.DataFrame, bars: list[tuple[str, str]], step: tuple[str, str], colours: dict[str, str],
               labels: Labels) -> None:
    axes.set_ylim(len(bars) - 0.5, -0.5)
    for place, (table, state) in enumerate(bars):
        for row in own[own["table"] == table].to_dict("records"):
            shade = colours.get(row["ahead"], stand_in("grid"))
            axes.plot([row["from_size"], row["to_size"]], [place, place], color=shade, linewidth=7, solid_capstyle="butt")
            if row["point"] == row["point"]:
                axes.plot([row["point"]], [place], marker="|", color=stand_in("ink"), markersize=9, markeredgewidth=1.6)
            if row["from_size"] == row["to_size"]:
                axes.plot([row["from_size"]], [place], marker="s", color=shade, markersize=6)
        axes.annotate(labels.hold(step_state(state, *step)), (1.01, place), xycoords=("axes fraction", "data"), va="center",
                      color=stand_in("muted"), fontsize=8, annotation_clip=False)
    names = [labels.hold(shorten(table, LONGEST_TABLE)) for table, _ in bars]
    axes.set_yticks(range(len(bars)), names, color=stand_in("ink"), fontsize=8)
    axes.tick_params(labelbottom=False)
    axes.grid(axis="x")


def _draw_shares(axes: Any, crossed: pd.DataFrame, step: tuple[str, str], colours: dict[str, str]) -> None:
    """At each size, of the tables that have it: shown ahead from below, shown behind from above, the rest between."""
    own = crossed[(crossed["from_family"] == step[0]) & (crossed["to_family"] == step[1])]
    own = own[own["tables"] >= min(FEWEST_TABLES, own["tables"].max())]
    ahead, behind = own["ahead"] / own["tables"], 1 - own["behind"] / own["tables"]
    axes.fill_between(own["size"], 0, ahead, color=colours[step[1]], linewidth=0, alpha=0.85, step="post")
    axes.fill_between(own["size"], ahead, behind, color=stand_in("grid"), linewidth=0, alpha=0.6, step="post")
    axes.fill_between(own["size"], behind, 1, color=colours[step[0]], linewidth=0, alpha=0.85, step="post")
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.xaxis.set_major_formatter(lambda value, _: rows(value))
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel("training rows")
    axes.annotate("share of the tables that have so many rows", (0, 1), (0, 14), xycoords="axes fraction",
                  textcoords="offset points", color=stand_in("muted"))
    for place in (own["size"].iloc[0], own["size"].iloc[-1]):
        count = int(own[own["size"] == place]["tables"].iloc[0])
        axes.annotate(f"{count}", (place, 1), (0, 2), textcoords="offset points", ha="center", color=stand_in("muted"),
                      fontsize=7.5)


def _draw_legend(axes: Any, step: tuple[str, str], colours: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    shown = [(f"{step[0]} ahead", colours[step[0]]), ("not shown", stand_in("grid")), (f"{step[1]} ahead", colours[step[1]])]
    axes.legend([Line2D([], [], color=colour, linewidth=7) for _, colour in shown], [text for text, _ in shown], frameon=False,
                ncols=3, loc="lower left", bbox_to_anchor=(-0.01, 0.995), handlelength=1.2, borderpad=0.1,
                labelcolor=stand_in("muted"))
