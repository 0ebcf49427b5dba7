"""Every report where somebody is ahead and nothing is recommended, since families were not run; beside the usual case."""

import io
import json
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report import render
from tabbench.report.as_json import from_json, to_json
from tabbench.report.console import print_report
from tabbench.report.sensitivity import sensitivity_tables
from tabbench.report.standings import standings
from tabbench.report.tables import evidence_tables, standings_table
from tabbench.wording.terms import RULE, outcome, outcomes_by_size, recommendation

WINNER = {"size": 500, "decision": "winner", "approaches": ["linear"], "best": "linear", "recommended": "linear"}
TIED = WINNER | {"decision": "top_set", "approaches": ["linear", "mlp"]}
NOBODY = WINNER | {"decision": "none", "approaches": [], "recommended": None}


@pytest.fixture
def unopposed(comparison: Comparison) -> Comparison:
    """One winner and tied ones, none of them recommended; at the smallest size nothing beats a constant."""
    winners = comparison.winners.assign(recommended=None)
    places = {name: list(winners.columns).index(name) for name in ("decision", "approaches")}
    winners.iat[0, places["decision"]], winners.iat[0, places["approaches"]] = "none", []
    winners.iat[1, places["decision"]], winners.iat[1, places["approaches"]] = "winner", ["linear"]
    return replace(comparison, winners=winners)


def printed(comparison: Comparison) -> str:
    raw = io.StringIO()
    print_report(comparison, Console(file=raw, width=200))
    return raw.getvalue()


@pytest.mark.parametrize(("winner", "said"), [
    (WINNER, "linear wins"),
    (WINNER | {"recommended": None}, "linear is ahead of the others (nothing is recommended: not every family was run)"),
    (TIED, "linear and mlp: not separated (recommended: linear)"),
    (TIED | {"recommended": None}, "linear and mlp: not separated (nothing is recommended: not every family was run)"),
    (TIED | {"recommended": float("nan")}, "linear and mlp: not separated (nothing is recommended: not every family was run)"),
    (NOBODY, "nothing is shown to beat the constant predictor"),
])
def test_a_row_of_winners_in_words(winner: dict[str, object], said: str) -> None:
    assert outcome(winner) + recommendation(winner) == said


def test_the_console_says_so_and_ticks_nobody(comparison: Comparison, unopposed: Comparison) -> None:
    usual, text = printed(comparison), printed(unopposed)
    assert usual.count("✓") == 2 and "✓ recommended." in usual and "othing is recommended" not in usual
    assert "✓" not in text and "Nothing is recommended, since not every family was run." in text
    assert "linear is ahead of the others (nothing is recommended: not every family was run)" in text
    assert "boosting, xgboost and lightgbm: not separated (nothing is recommended: not every family was run)" in text


def test_who_is_ahead_is_not_called_winner(unopposed: Comparison) -> None:
    wins = unopposed.winners.assign(decision="winner", approaches=[["boosting"]] * len(unopposed.winners), best="boosting")
    verdicts = {recommended: standings(replace(unopposed, winners=wins.assign(recommended=recommended)), 5634)[0]
                for recommended in ("boosting", None)}
    assert (verdicts["boosting"].verdict, verdicts["boosting"].is_recommended) == ("winner", True)
    assert (verdicts[None].verdict, verdicts[None].is_recommended) == ("best mean", False)


def test_the_tables_say_it_in_words(comparison: Comparison, unopposed: Comparison) -> None:
    column = {name: [row[-1] for table in evidence_tables(each) if table.title == "Best by size" for row in table.rows]
              for name, each in (("usual", comparison), ("unopposed", unopposed))}
    assert column["unopposed"] == ["–"] + ["nothing: not every family was run"] * (len(unopposed.winners) - 1)
    assert column["usual"] == list(comparison.winners["recommended"])
    usual, table = standings_table(comparison), standings_table(unopposed)
    assert usual is not None and table is not None
    assert f" ✓ recommended: {RULE}." in usual.note
    assert " Nothing is recommended, since not every family was run." in table.note


@pytest.mark.parametrize("kind", ["html", "md"])
def test_no_format_shows_a_missing_value(kind: str, comparison: Comparison, unopposed: Comparison) -> None:
    text = render(unopposed, kind)
    assert "nothing: not every family was run" in text and "not every family was run" not in render(comparison, kind)
    cells = [(">", "<"), ("| ", " |")]
    assert not any(f"{before}{value}{after}" in text for value in ("None", "nan", "NaN") for before, after in cells)
    again = from_json(json.loads(json.dumps(to_json(unopposed))))
    assert render(again, kind) == text
    assert [row["recommended"] for row in to_json(unopposed)["winners"]] == [None] * len(unopposed.winners)


def test_a_limit_under_which_nothing_is_recommended(comparison: Comparison) -> None:
    sentence = "With less than 5.0 s to train, nothing is recommended, since a family of approaches was not run."
    limits = pd.DataFrame([("fit_seconds", 5.0, None, 5634, "winner", ["linear"], None, sentence)],
                          columns=list(COLUMNS["cost_limits"]))
    cell = (5634, 1.0, None, None, "none", [])
    grid = pd.DataFrame([cell, (5634, 10.0, "boosting", 5634, "winner", ["boosting"])], columns=list(COLUMNS["winner_map"]))
    _, limited, mapped = sensitivity_tables(replace(comparison, cost_limits=limits, winner_map=grid))
    assert list(limited.rows) == [("seconds to train", "5.00", "–", "none", "–")]
    assert list(mapped.rows) == [("5,634", "–", "boosting: wins")]
    assert mapped.note.endswith("A dash: nothing is affordable, or nothing is recommended.")


@pytest.mark.parametrize(("headline", "told"), [(5634, {"", "over 100 ×"}), (3200, {"", "–"}), (None, {"", "over 100 ×"})])
def test_below_the_full_size_there_is_no_forecast_of_rows(comparison: Comparison, headline: int | None, told: set[str]) -> None:
    pairs = comparison.pairs.assign(rows_to_settle=None)
    changed = replace(comparison, pairs=pairs, protocol=comparison.protocol | {"headline_size": headline, "full_size": 5634})
    tables = [table for table in evidence_tables(changed) if table.header[-1] == "rows needed to decide"]
    assert {row[-1] for table in tables for row in table.rows} == told and len(tables) == 2


def test_neighbouring_sizes_with_the_same_outcome_are_one_range(comparison: Comparison) -> None:
    rows = comparison.winners.to_dict("records")
    merged = [{**rows[-1], "size": size, "regret_bound": bound} for size, bound in ((100, 0.3), (200, 0.1), (400, 0.2))]
    told = outcomes_by_size(replace(comparison, winners=pd.DataFrame([*merged, {**rows[-1], **NOBODY, "size": 800}])))
    assert [where for where, _ in told] == ["100–400", "800"]
    assert "at most 0.30 (at 400 rows 0.20) worse" in told[0][1]


def test_a_list_says_practically_equal_where_the_sentence_does() -> None:
    assert outcome(TIED, are_equal=True) == "linear and mlp: practically equal"
    assert outcome(TIED | {"approaches": ["mlp"]}) == "mlp is ahead"
