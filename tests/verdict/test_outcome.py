"""The answer at the headline size: which outcome, with which numbers, and what goes with it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.changing_places import Bracket, ChangeOfPlaces, Place
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.outcome import Lead, Missing, Outcome, Reach, Repeats, RowsNeeded, headline_of
from tabbench.verdict.winners import winners_frame

ROWS = 1250
WIDE = 0.6
MEANS = {"dummy": 3.0, "linear": 1.05, "mlp": 1.0}
WINS = {("dummy", "linear"): "second", ("dummy", "mlp"): "second", ("linear", "mlp"): "second"}
TIES = WINS | {("linear", "mlp"): "undecided"}
NOTHING = dict.fromkeys(WINS, "undecided")


def pairs_of(decisions, size, means, bounds=(0.2, 0.4), needed=np.nan):
    """Where nothing is shown, the interval lies around the difference of the means."""
    rows = []
    for (first, second), decision in decisions.items():
        around = means[first] - means[second]
        low, high = (around - WIDE, around + WIDE) if decision in ("undecided", "equal") and bounds[0] == bounds[0] else bounds
        rows.append((first, second, size, (low + high) / 2, low, high, decision, needed))
    return pd.DataFrame(rows, columns=["first", "second", "size", "difference", "low", "high", "decision", "rows_to_settle"])


def answer(simulate, decisions=WINS, found=(), *, means=MEANS, ranks=None, full_size=1000, small=None, bounds=(0.2, 0.4),
           needed=np.nan, told=None, **changes):
    evidence = simulate.evidence_of({(name, size): np.full(ROWS, mean) for name, mean in means.items() for size in (250, 1000)},
                                    representatives=tuple(name for name in means if name != "dummy"), **changes)
    evidence = replace(evidence, cost_ranks=ranks or evidence.cost_ranks)
    pairs = pd.concat([pairs_of(small or dict.fromkeys(decisions, "undecided"), 250, means),
                       pairs_of(decisions, 1000, means, bounds, needed)])
    return headline_of(evidence, winners_frame(evidence, pairs), pairs, found, headline=1000, full_size=full_size, **(told or {}))


def test_a_winner_with_its_lead(simulate):
    found = answer(simulate, bounds=(-0.4, -0.2))
    assert (found.outcome, found.best, found.rows, found.reach) == (Outcome.WINNER, "mlp", ROWS, Reach.FULL)
    assert found.lead == Lead("mse", False, pytest.approx(0.3), 0.2, 0.4, "linear", False, False)
    assert (found.rows_needed, found.is_decided, found.is_withheld) == (None, True, False)
    assert answer(simulate, bounds=(0.01, 0.03)).lead.is_too_little
    alone = answer(simulate, {("dummy", "mlp"): "second"}, means={"dummy": 3.0, "mlp": 1.0})
    assert (alone.lead.other, alone.lead.is_over_constant) == ("dummy", True)


@pytest.mark.parametrize(("decision", "outcome"), [("undecided", Outcome.TIED), ("equal", Outcome.EQUAL)])
def test_a_top_set(simulate, decision, outcome):
    found = answer(simulate, WINS | {("linear", "mlp"): decision})
    assert (found.outcome, found.approaches, found.recommended) == (outcome, ("mlp", "linear"), "linear")
    assert found.lead is None and found.regret == pytest.approx(0.05)
    assert (found.regret_bound, found.metric) == (pytest.approx(0.65), "mse")


def test_the_only_one_not_worse_than_any_may_not_win(simulate):
    three = TIES | {("dummy", "tree"): "second", ("linear", "tree"): "first", ("mlp", "tree"): "undecided",
                    ("linear", "mlp"): "second"}
    found = answer(simulate, three, means=MEANS | {"tree": 2.0})
    assert (found.outcome, found.approaches) == (Outcome.AHEAD, ("mlp",))


def test_no_verdicts(simulate):
    assert answer(simulate, NOTHING).outcome is Outcome.CONSTANT
    failed = {(name, size): np.full(5, name == "mlp") for name in MEANS for size in (250, 1000)}
    found = answer(simulate, imputed=failed)
    assert (found.outcome, found.failed) == (Outcome.FAILURES, pytest.approx(1 / 3))
    assert answer(simulate, NOTHING, bounds=(np.nan, np.nan)).outcome is Outcome.NO_ERROR_KNOWN
    alone = answer(simulate, {}, means={"linear": 1.0})
    assert (alone.outcome, alone.approaches) == (Outcome.ONE_APPROACH, ("linear",))
    assert not any(each.is_decided or each.is_withheld or each.over_sizes for each in (found, alone))


@pytest.mark.parametrize(("changes", "repeats"), [
    ({"repeats": 3}, Repeats.HARDLY_HELP), ({"repeats": 1}, Repeats.MIGHT_HELP),
    ({"repeats": 1, "pool_rows": 20_000}, Repeats.HARDLY_HELP), ({"split_kind": "ordered"}, Repeats.IMPOSSIBLE)])
def test_rows_needed_to_decide(simulate, changes, repeats):
    assert answer(simulate, TIES, needed=5312.0, **changes).rows_needed == RowsNeeded("linear", "mlp", 5312.0, repeats)


def test_rows_needed_to_decide_are_those_of_the_best_alone(simulate):
    assert answer(simulate, TIES, needed=np.inf).rows_needed.rows == np.inf
    assert answer(simulate, NOTHING, needed=2000.0).rows_needed.first == "dummy"  # nothing is shown to be better than a constant
    assert answer(simulate, WINS, needed=2000.0).rows_needed is None
    failed = {(name, size): np.full(5, name == "mlp") for name in MEANS for size in (250, 1000)}
    assert answer(simulate, TIES, needed=2000.0, imputed=failed).rows_needed is None


def test_who_is_absent(simulate):
    told = {"skipped": [("forest", 1000), ("flat", 1000), ("mlp", 8000)], "stopped": [("flat", 1000)],
            "missing": {"trees": ["forest"]}}
    found = answer(simulate, full_size=8000, told=told)
    assert (found.rows, found.reach) == (1000, Reach.LARGEST_RUN)
    assert (found.stopped_early, found.left_out) == (("flat",), ("forest",))
    assert found.missing == Missing({"trees": ["forest"]}, are_run_below=False)


def crossing(kind, low=np.nan, high=np.nan, point=np.nan, below="linear", above="mlp"):
    return Crossing("linear", "mlp", kind, low, high, point, below, above)


@pytest.mark.parametrize(("found", "change"), [
    ([crossing("bracket", 252, 998, 513)],
     ChangeOfPlaces("linear", "mlp", Place.ONE_BRACKET, (), (Bracket(252, 998, 513),), is_better_below=True)),
    ([crossing("several", 100, 200, 150), crossing("several", 500, 900, 700, "mlp", "linear")],
     ChangeOfPlaces("linear", "mlp", Place.SEVERAL_BRACKETS, (), (Bracket(100, 200, 150), Bracket(500, 900, 700)),
                    is_better_below=True)),
    ([crossing("open", 300, 790, below="mlp", above="mlp")],
     ChangeOfPlaces("linear", "mlp", Place.MAY_BE_AS_GOOD, ((300, 790),))),
    ([crossing("open", 300, 790, below="linear", above="linear")],
     ChangeOfPlaces("linear", "mlp", Place.BETTER, ((np.nan, 300), (790, np.nan)))),
])
def test_where_places_change(simulate, found, change):
    over = answer(simulate, found=found).over_sizes
    assert (over.leader, over.smallest, over.never_better) == ("mlp", 250, ())
    assert over.changes == (change,)


def test_what_the_deciding_size_shows_is_not_doubted(simulate):
    above = crossing("open", low=513, below="mlp", above="linear")
    assert answer(simulate, found=[above]).over_sizes.changes == ()
    (change,) = answer(simulate, TIES, [above]).over_sizes.changes
    assert change.place is Place.MAY_BE_AS_GOOD and change.spans[0][0] == 513


def test_nobody_is_better_at_any_size(simulate):
    assert answer(simulate).over_sizes.never_better == ("linear",)
    behind = answer(simulate, small=dict.fromkeys(WINS, "first"))
    assert behind.over_sizes.never_better == () and answer(simulate, TIES).over_sizes.never_better == ()
