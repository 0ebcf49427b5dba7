"""The winner map as a figure: training rows upwards, seconds for one fit to the right, the recommended approach in each cell."""

from __future__ import annotations

from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.report.drawing import Labels, Look, drawing_settings, looks, stand_in, to_inline_svg
from tabbench.report.sensitivity import budget, cell_words
from tabbench.wording.numbers import rows
from tabbench.wording.safe_text import shorten

_WIDTH_INCHES = 10.0
_ROW_INCHES = 0.42
_LETTER_INCHES = 0.075
"""Room of a letter of a cell's name, generously."""
_SHOWN, _UNDECIDED = 0.34, 0.12
"""How strongly a cell is filled: a winner, and one of several that are not separated."""


def winner_map(comparison: Comparison) -> str:
    """Cells in the colour of the recommended approach, with its name; empty text where there is no map."""
    records = comparison.winner_map.to_dict("records")
    if not any(isinstance(row["approach"], str) for row in records):
        return ""
    sizes, budgets = sorted({row["size"] for row in records}), sorted({row["budget_seconds"] for row in records})
    with drawing_settings("winner-map"):
        from matplotlib.figure import Figure

        labels, styles = Labels(), looks(comparison)
        height = _ROW_INCHES * len(sizes) + 0.72
        figure = Figure(figsize=(_WIDTH_INCHES, height))
        axes = figure.add_axes((0.075, 0.5 / height, 0.915, _ROW_INCHES * len(sizes) / height))
        axes.set_xlim(0, len(budgets))
        axes.set_ylim(0, len(sizes))
        letters = int(0.9 * _WIDTH_INCHES / len(budgets) / _LETTER_INCHES)
        for row in records:
            _draw_cell(axes, budgets.index(row["budget_seconds"]), sizes.index(row["size"]), row, styles, labels, letters)
        axes.set_xticks([place + 0.5 for place in range(len(budgets))], [budget(each) for each in budgets])
        axes.set_yticks([place + 0.5 for place in range(len(sizes))], [rows(each) for each in sizes])
        axes.tick_params(length=0)
        axes.spines["bottom"].set_visible(False)
        axes.set_xlabel("time budget for one fit")
        axes.annotate("training rows", (0.004, 1), (0, 6), xycoords=("figure fraction", "axes fraction"),
                      textcoords="offset points", color=stand_in("muted"))
        return to_inline_svg(figure, labels, name="winner-map", title="Recommended approach by training rows and time budget")


def _draw_cell(axes: Any, across: int, up: int, cell: dict[Any, Any], styles: dict[str, Look], labels: Labels, letters: int
               ) -> None:
    from matplotlib.patches import Rectangle

    name, how = cell_words(cell)
    look = styles.get(name)
    strength = _SHOWN if cell["decision"] == "winner" else _UNDECIDED
    fill = {"facecolor": look.colour, "alpha": strength} if look else {"facecolor": "none"}
    axes.add_patch(Rectangle((across + 0.01, up + 0.03), 0.98, 0.94, edgecolor="none", **fill))
    axes.annotate(labels.hold(shorten(name, letters)), (across + 0.5, up + (0.66 if how else 0.5)), ha="center", va="center",
                  color=stand_in("ink" if look else "muted"), fontsize=9)
    axes.annotate(labels.hold(how), (across + 0.5, up + 0.27), ha="center", va="center", color=stand_in("muted"), fontsize=7.5)
