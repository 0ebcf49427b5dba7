import pytest

from tabbench.core.comparison import Comparison
from tabbench.report import render
from tabbench.report.crossings import budget_crossing, family_crossing

NOWHERE = {"low": float("nan"), "high": float("nan"), "point": float("nan")}


@pytest.mark.parametrize("row, said", [
    ({"kind": "bracket", "low": 1.0, "high": 4.0, "point": 2.04, "ahead_below": "boosting", "ahead_above": "mlp"},
     "with up to about 2 s of training boosting scores best; beyond, mlp"),
    ({"kind": "bracket", "low": 900.0, "high": 3000.0, "point": 1234.0, "ahead_below": "mlp", "ahead_above": "boosting"},
     "with up to about 1,200 s of training mlp scores best; beyond, boosting"),
    ({"kind": "several", "low": 0.001, "high": 0.004, "point": 0.002, "ahead_below": "boosting", "ahead_above": "mlp"},
     "boosting and mlp change places several times, once at about <0.01 s of training: from boosting to mlp"),
    ({"kind": "none", **NOWHERE, "ahead_below": "mlp", "ahead_above": "mlp"},
     "mlp scores best of boosting and mlp, whatever the training time"),
    ({"kind": "none", **NOWHERE, "ahead_below": "", "ahead_above": ""},
     "neither of boosting and mlp leads by more than the margin, whatever the training time"),
    ({"kind": "undecided", **NOWHERE, "ahead_below": "", "ahead_above": ""},
     "boosting and mlp can't be compared: the training time or the score of one of them is unknown"),
])
def test_every_outcome_in_seconds_has_its_words(row: dict[str, object], said: str) -> None:
    assert budget_crossing({"first": "boosting", "second": "mlp", **row}) == said


@pytest.mark.parametrize("row, said", [
    ({"kind": "open", **NOWHERE, "low": 500.0, "ahead_below": "linear", "ahead_above": "trees"},
     "the best of linear and the best of trees may cross in score above 500 rows"),
    ({"kind": "none", **NOWHERE, "ahead_below": "trees", "ahead_above": "trees"},
     "the best of trees is ahead of the best of linear wherever anything is shown"),
    ({"kind": "undecided", **NOWHERE, "ahead_below": "", "ahead_above": ""},
     "the best of linear and the best of trees: undecided whether they cross in score"),
])
def test_every_outcome_between_families_has_its_words(row: dict[str, object], said: str) -> None:
    assert family_crossing({"first": "linear", "second": "trees", **row}) == said


@pytest.mark.parametrize("kind", ["html", "md"])
def test_the_long_reports_hold_all_crossings(kind: str, comparison: Comparison) -> None:
    text = render(comparison, kind)
    for title in ("Crossings of families", "Crossings of all other pairs", "Best by training time"):
        assert title in text
    assert "the best of net is ahead of the best of linear wherever anything is shown" in text
    assert "with up to about 2 s of training linear scores best; beyond, mlp" in text
    assert "dummy and linear may cross in score above 200 rows, at about 320" in text
    assert "dummy and mlp don't cross" not in text
