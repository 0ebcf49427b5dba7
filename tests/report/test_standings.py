from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report.standings import full_size, standings
from tabbench.wording.names import with_readable_names
from tabbench.wording.terms import crossing


def small(decisions: list[tuple[str, str, float, str]], decision: str, base: Comparison) -> Comparison:
    """Three approaches a, b, c at 500 rows with the given pairs; a is best, b recommended."""
    loss = {"a": 0.1, "b": 0.2, "c": 0.3}
    records = {
        "scores": [(name, 500, "log_loss", value, None, None, 5, 0) for name, value in loss.items()],
        "pairs": [(first, second, 500, middle, middle - 0.05, middle + 0.05, each) for first, second, middle, each in decisions],
        "winners": [(500, decision, ["a", "b"], "a", "b")],
        "costs": [],
    }
    return replace(base, **{name: pd.DataFrame(rows, columns=list(COLUMNS[name][: len(rows[0]) if rows else None]))
                            for name, rows in records.items()})


def test_ranks_count_who_is_shown_to_be_better(comparison: Comparison) -> None:
    tied = small([("a", "b", -0.1, "undecided"), ("a", "c", -0.2, "first_materially"), ("c", "b", 0.1, "second")],
                 "top_set", comparison)
    assert [(each.approach, each.rank, each.verdict) for each in standings(tied, 500)] == [
        ("b", 1, "undecided"), ("a", 1, "best mean"), ("c", 3, "materially worse")]  # the recommended one is first


def test_a_difference_is_always_to_the_best_with_its_interval_turned(comparison: Comparison) -> None:
    table = standings(small([("a", "b", -0.1, "first"), ("c", "a", 0.2, "second")], "winner", comparison), 500)
    assert [(each.approach, each.verdict) for each in table] == [("b", "worse"), ("a", "winner"), ("c", "worse")]
    assert [each.approach for each in table if each.leads] == ["b"]
    by_name = {each.approach: each for each in table}
    for name, expected in (("b", (0.1, 0.05, 0.15)), ("c", (0.2, 0.15, 0.25))):
        each = by_name[name]
        assert (each.difference, each.difference_low, each.difference_high) == pytest.approx(expected)
    assert by_name["a"].difference is None
    assert [name for name, each in by_name.items() if each.is_recommended] == ["b"]


def test_an_approach_without_a_mean_comes_last(comparison: Comparison) -> None:
    scores = comparison.scores.astype({"mean": "float64"})
    scores.loc[(scores["approach"] == "boosting") & (scores["size"] == 5634), "mean"] = None
    assert standings(replace(comparison, scores=scores), 5634)[-1].approach == "boosting"


def test_higher_is_better_sorts_the_other_way(make: Callable[..., Comparison]) -> None:
    table = standings(make(higher=True), 5634)
    assert table[0].is_recommended and table[1].approach == "boosting"
    assert table[1].mean == max(each.mean or 0 for each in table)
    assert all(each.difference > 0 for each in table if each.difference is not None)


def test_the_full_size_is_the_largest_that_was_judged(comparison: Comparison, nothing: Comparison) -> None:
    assert full_size(comparison) == 5634
    assert full_size(replace(comparison, winners=comparison.winners.query("size < 5634"))) == 3200
    assert full_size(nothing) is None


def test_readable_names_stay_distinct_and_join_up(comparison: Comparison) -> None:
    twins = {"linear": "x" * 3000 + "A" + "y" * 3000, "boosting": "x" * 3000 + "B" + "y" * 3000}
    renamed = {name: frame.replace(twins) for name in ("approaches", "scores", "pairs", "costs", "crossovers")
               for frame in [getattr(comparison, name).drop(columns="settings", errors="ignore")]}
    renamed["approaches"]["settings"] = None
    readable = with_readable_names(replace(comparison, **renamed))
    names = list(readable.approaches["name"])
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= 52
    assert set(readable.scores["approach"]) == set(names) == set(readable.pairs["first"]) | set(readable.pairs["second"])


@pytest.mark.parametrize(("kind", "low", "high", "point", "expected"), [
    ("bracket", 200.0, 800.0, 321.4, "a and b cross in score between 200 and 800 rows, at about 321"),
    ("bracket", 200, 800, None, "a and b cross in score between 200 and 800 rows"),
    ("open", 8000.0, None, None, "a and b may cross in score above 8,000 rows"),
    ("open", float("nan"), 100.0, float("nan"), "a and b may cross in score below 100 rows"),
    ("several", 200, 400, 300, "a and b cross several times in score, once between 200 and 400 rows, at about 300"),
    ("none", None, None, None, "a and b don't cross in score at the sizes that were run"),
    ("undecided", None, None, None, "a and b: undecided whether they cross in score"),
])
def test_every_kind_of_crossing_has_its_words(kind: str, low: object, high: object, point: object, expected: str) -> None:
    assert crossing({"first": "a", "second": "b", "kind": kind, "low": low, "high": high, "point": point}) == expected
