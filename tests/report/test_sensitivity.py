"""Sensitivity analysis: one line, tables, and the winner map as a figure."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report.sensitivity import NOT_REQUESTED, cell_words, sensitivity_line, sensitivity_tables
from tabbench.report.winner_map import winner_map

WHOLE = ("Sensitivity analysis. Changes the answer: without `tenure` (then linear); judged by accuracy (then linear); with less "
         "than 6.50 s to train (then linear). Open: judged by AUC.")
NOTHING = "Sensitivity analysis. Nothing that was tried changes the answer."


def without(comparison: Comparison, *names: str) -> Comparison:
    return replace(comparison, **{name: getattr(comparison, name).iloc[:0] for name in names})


def test_the_line_names_doubts_about_the_data_first(comparison: Comparison) -> None:
    assert sensitivity_line(comparison) == WHOLE


@pytest.mark.parametrize("room, line", [
    (160, WHOLE.removesuffix(" Open: judged by AUC.")),
    (130, "Sensitivity analysis. Changes the answer: without `tenure` (then linear); judged by accuracy (then linear); and 1 "
          "more."),
    (10, "Sensitivity analysis. Changes the answer: without `tenure` (then linear); and 2 more."),
])
def test_the_line_keeps_to_its_room(comparison: Comparison, room: int, line: str) -> None:
    assert sensitivity_line(comparison, room) == line


def test_an_answer_that_nothing_changes_is_said_too(comparison: Comparison, nothing: Comparison) -> None:
    calm = replace(without(comparison, "cost_limits"), what_if=comparison.what_if.assign(flips=False, holds=True))
    assert sensitivity_line(calm) == f"{NOTHING} Unchanged: without `tenure` and judged by AUC and accuracy."
    counted = f"{NOTHING} Unchanged: without `tenure` and 2 other metrics."
    assert sensitivity_line(calm, 115) == counted
    none = calm.what_if.assign(decision="none")
    assert sensitivity_line(replace(calm, what_if=none)) == NOTHING
    assert sensitivity_line(nothing) == ""


def test_a_verdict_that_goes_away_is_none(comparison: Comparison) -> None:
    gone = comparison.what_if.iloc[2:3].assign(decision="none", recommended=None)
    assert sensitivity_line(replace(without(comparison, "cost_limits"), what_if=gone)) == (
        "Sensitivity analysis. Changes the answer: without `tenure` (then none).")


def test_the_tables_say_what_decides_and_what_was_not_requested(comparison: Comparison) -> None:
    views, limits, cells = sensitivity_tables(comparison)
    assert views.said == [WHOLE.removeprefix("Sensitivity analysis. ")]
    assert views.note.startswith("Exploratory analysis: only log loss on the data as they are decides.")
    assert "without a correction for multiple looks" in views.note and NOT_REQUESTED not in views.note
    assert [row[1] for row in views.rows] == ["open", "yes", "yes", "–"]
    assert list(limits.rows) == [("seconds to train", "6.50", "0.41", "linear", "wins"),
                                 ("seconds to train", "0.41", "–", "none", "–")]
    assert cells.header == ("training rows", "1 s", "10 s") and cells.is_folded
    assert cells.rows[0] == ("100", "–", "mlp: not separated") and cells.rows[1] == ("200", "linear: wins at 100",
                                                                                     "mlp: not separated")
    not_requested = replace(comparison, what_if=comparison.what_if.iloc[:2])
    assert sensitivity_tables(not_requested)[0].note.endswith(NOT_REQUESTED)


def test_nothing_to_show_shows_nothing(nothing: Comparison) -> None:
    assert sensitivity_tables(nothing) == []
    assert winner_map(nothing) == ""


def test_a_top_set_of_one_is_ahead() -> None:
    cell = {"size": 100, "approach": "linear", "trained_on": 100, "decision": "top_set", "approaches": ["linear"]}
    assert cell_words(cell) == ("linear", "ahead")


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_map_names_the_recommended_approach_in_every_cell(comparison: Comparison) -> None:
    shown = texts(winner_map(comparison))
    assert shown.count("mlp") == 7 and shown.count("linear") == 6 and shown.count("–") == 1
    assert shown.count("wins at 100") == 6 and shown.count("not separated") == 7
    assert {"1 s", "10 s", "5,634", "training rows"} <= set(shown)


def test_the_map_is_harmless_whatever_the_names(hostile: Comparison, make: Callable[..., Comparison]) -> None:
    many = [(size, budget, f"approach-{'x' * 60}", size, "winner", [""]) for size in (100, 200)
            for budget in (0.1, 0.3, 1, 3, 10, 30, 60)]
    wide = replace(make(), winner_map=pd.DataFrame(many, columns=list(COLUMNS["winner_map"])))
    for each in (hostile, wide):
        svg = winner_map(each)
        assert "<script" not in svg and "@@" not in svg
        assert max(len(text) for text in texts(svg)) <= 60
