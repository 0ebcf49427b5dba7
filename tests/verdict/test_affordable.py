"""The best under a budget, and over sizes and budgets at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.affordable import BUDGETS, MOST_BUDGETS, UnderLimit, budget_grid, cost_limits, winner_map
from tabbench.verdict.judge import judge

MEANS = {"dummy": 3.0, "linear": 1.3, "mlp": 1.15, "boosting": 1.0}
SECONDS = {"dummy": 0.001, "linear": 2.0, "mlp": 200.0, "boosting": 50.0}
RANKS = {"dummy": 0, "linear": 1, "boosting": 2, "mlp": 3}


def judged(simulate, means=None, sizes=(100, 400), **changes):
    """Evidence with the larger size better by a tenth, all differences shown."""
    random = np.random.default_rng(0)
    means, noise = means or MEANS, random.normal(size=(5, 500))
    losses = {(name, size): mean * (1.1 if size == sizes[0] and name != "dummy" else 1.0)
              + 0.3 * noise + 0.05 * random.normal(size=(5, 500)) for size in sizes for name, mean in means.items()}
    evidence = replace(simulate.evidence_of(losses, **changes), cost_ranks=RANKS)
    return evidence, judge(evidence, full_size=sizes[-1]).pairs


def costs(seconds=None, sizes=(100, 400), predict=None, peak=None):
    seconds = seconds or SECONDS
    rows = [(name, size, each * size / sizes[-1], (predict or {}).get(name, 100.0), (peak or {}).get(name, 200.0), 1.0)
            for size in sizes for name, each in seconds.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS["costs"]))


FAMILIES = {"dummy": "baseline", "linear": "linear", "mlp": "net", "boosting": "trees"}


def test_under_a_limit_nothing_is_recommended_over_families_that_were_not_run(simulate):
    evidence, pairs = judged(simulate, {"dummy": 3.0, "linear": 1.3, "boosting": 1.0}, families=FAMILIES)
    whole, lacking = (cost_limits(evidence, pairs, costs(), 400, families) for families in ((), {"net"}))
    assert told(whole)[:2] == [(50.0, UnderLimit.TAKEN, "linear"), (2.0, UnderLimit.NOTHING_LEFT, None)]
    assert told(lacking)[:1] == [(50.0, UnderLimit.FAMILY_LACKING, None)]
    row = lacking.iloc[0]
    assert (row["decision"], row["approaches"], row["recommended"]) == ("winner", ["linear"], None) and np.isnan(row["down_to"])
    # What is not recommended without a limit is not recommended under one either.
    ahead, pairs = judged(simulate, {"dummy": 3.0, "linear": 1.0, "boosting": 1.3}, families=FAMILIES)
    assert cost_limits(ahead, pairs, costs(), 400, {"net"}).empty
    assert not cost_limits(ahead, pairs, costs(), 400).empty


def test_the_map_leaves_open_what_cannot_be_recommended(simulate):
    evidence, pairs = judged(simulate, {"dummy": 3.0, "linear": 1.3, "boosting": 1.0}, families=FAMILIES)
    whole, lacking = (winner_map(evidence, pairs, costs(), families).set_index(["size", "budget_seconds"])["approach"]
                      for families in (None, {100: {"net"}, 400: {"net"}}))
    assert whole[400, 3.0] == "linear" and lacking[400, 3.0] is None
    assert whole[400, 60.0] == lacking[400, 60.0] == "boosting"


def told(frame):
    return list(zip(frame["below"], frame["outcome"], frame["recommended"], strict=True))


def test_the_limits_at_which_another_one_is_to_be_taken(simulate):
    evidence, pairs = judged(simulate)
    frame = cost_limits(evidence, pairs, costs(), 400)
    assert set(frame.columns) == {*COLUMNS["cost_limits"], "outcome"} - {"sentence"}
    seconds = frame[frame["cost"] == "fit_seconds"]
    assert told(seconds) == [(50.0, UnderLimit.TAKEN, "linear"), (2.0, UnderLimit.NOTHING_LEFT, None)]
    assert seconds["down_to"].iloc[0] == 2.0 and np.isnan(seconds["down_to"].iloc[1])
    # Dropping mlp at 200 s changes nothing, and where all cost the same they go together.
    assert told(frame[frame["cost"] == "predict_us_per_row"]) == [(100.0, UnderLimit.NOTHING_LEFT, None)]
    assert told(frame[frame["cost"] == "peak_mb"]) == [(200.0, UnderLimit.NOTHING_LEFT, None)]


def test_costs_that_are_nearly_the_same_are_the_same(simulate):
    evidence, pairs = judged(simulate)
    near = cost_limits(evidence, pairs, costs(peak={"boosting": 290.0, "linear": 200.0, "mlp": 205.0}), 400)
    assert list(near[near["cost"] == "peak_mb"]["recommended"]) == [None]
    apart = cost_limits(evidence, pairs, costs(peak={"boosting": 310.0, "linear": 200.0, "mlp": 205.0}), 400)
    assert list(apart[apart["cost"] == "peak_mb"]["recommended"]) == ["mlp", None]


def test_a_limit_that_rests_on_noise_is_none(simulate):
    evidence, pairs = judged(simulate)
    quick = {"dummy": 0.001, "linear": 0.03, "mlp": 0.2, "boosting": 0.1}
    found = cost_limits(evidence, pairs, costs(quick, peak=dict.fromkeys(MEANS, 9.0), predict=dict.fromkeys(MEANS, 3.0)), 400)
    assert found.empty
    assert set(winner_map(evidence, pairs, costs(quick))["budget_seconds"]) == {1.0}


def test_what_is_recommended_stays_while_it_can_be_afforded(simulate):
    # Beside mlp alone, linear's bound of regret is the larger one by far; that boosting is too dear is no reason to leave it.
    evidence, pairs = judged(simulate, {"dummy": 3.0, "linear": 1.0, "mlp": 1.0, "boosting": 1.0})
    known = {("linear", "mlp"): (-0.09, 0.5), ("linear", "boosting"): (-0.8, 0.6), ("mlp", "boosting"): (-0.8, 0.9)}
    for (first, second), bounds in known.items():
        is_pair = (pairs["first"] == first) & (pairs["second"] == second)
        pairs.loc[is_pair, ["low", "high"]] = bounds
        pairs.loc[is_pair, "decision"] = "undecided"
    limits = cost_limits(evidence, pairs, costs({**SECONDS, "mlp": 10.0}), 400)
    assert told(limits[limits["cost"] == "fit_seconds"]) == [(2.0, UnderLimit.NOTHING_LEFT, None)]


def test_what_is_left_may_not_beat_a_constant(simulate):
    evidence, pairs = judged(simulate, {**MEANS, "linear": 3.0})
    frame = cost_limits(evidence, pairs, costs({**SECONDS, "mlp": 50.0}), 400)
    assert told(frame)[0] == (50.0, UnderLimit.NOTHING_BETTER, None)
    assert frame["decision"].iloc[0] == "none"


def test_without_a_verdict_there_are_no_limits(simulate):
    evidence, pairs = judged(simulate, {**dict.fromkeys(MEANS, 1.0), "dummy": 0.9})
    assert cost_limits(evidence, pairs, costs(), 400).empty


def test_unknown_costs_take_no_part(simulate):
    evidence, pairs = judged(simulate)
    frame = cost_limits(evidence, pairs, costs({**SECONDS, "boosting": np.nan}), 400)
    assert "boosting" not in set(frame[frame["cost"] == "fit_seconds"]["recommended"])
    nothing = costs().iloc[:0]
    assert cost_limits(evidence, pairs, nothing, 400).empty and winner_map(evidence, pairs, nothing).empty


def test_the_map_takes_the_best_that_can_be_afforded(simulate):
    evidence, pairs = judged(simulate)
    frame = winner_map(evidence, pairs, costs())
    assert tuple(frame.columns) == COLUMNS["winner_map"]
    taken = {(row.size, row.budget_seconds): (row.approach, row.trained_on) for row in frame.itertuples()}
    assert sorted({budget for _, budget in taken}) == [1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0]
    assert taken[100, 1.0] == taken[400, 1.0] == ("linear", 100)  # 400 rows take 2 s
    assert taken[400, 3.0] == ("linear", 400)
    assert taken[400, 30.0] == ("boosting", 100)  # better on 100 rows than linear on all
    assert taken[400, 60.0] == ("boosting", 400) and taken[100, 60.0] == ("boosting", 100)
    assert set(frame["decision"]) == {"winner"}


def test_more_rows_are_taken_unless_they_do_harm(simulate):
    evidence, pairs = judged(simulate, margin=0.2)
    flat = winner_map(evidence, pairs, costs()).set_index(["size", "budget_seconds"])
    assert flat.loc[(400, 600.0), "trained_on"] == 400
    worse = replace(evidence, loss={cell: values + (cell[1] == 400) for cell, values in evidence.loss.items()})
    assert winner_map(worse, pairs, costs()).set_index(["size", "budget_seconds"]).loc[(400, 600.0), "trained_on"] == 100


def test_a_budget_that_affords_nothing_is_an_empty_cell(simulate):
    evidence, pairs = judged(simulate)
    frame = winner_map(evidence, pairs, costs({**SECONDS, "dummy": 1.0})).set_index(["size", "budget_seconds"])
    assert frame.loc[(400, 1.0), "approach"] == "linear"
    slow = winner_map(evidence, pairs, costs(dict.fromkeys(SECONDS, 5.0), sizes=(100, 400)).query("size == 400"))
    empty = slow[slow["size"] == 100]
    assert list(empty["approach"]) == [None] * len(empty) and set(empty["decision"]) == {"none"}


def test_names_that_were_not_run_at_a_size_take_no_part(simulate):
    evidence, pairs = judged(simulate)
    loss = {cell: values for cell, values in evidence.loss.items() if cell != ("boosting", 400)}
    reduced = replace(evidence, loss=loss)
    frame = cost_limits(reduced, pairs[~((pairs["second"] == "boosting") & (pairs["size"] == 400))], costs(), 400)
    assert list(frame[frame["cost"] == "fit_seconds"]["recommended"]) == ["linear", None]


def test_a_size_without_the_constant_predictor_has_no_choice_where_nothing_can_be_afforded(simulate):
    evidence, pairs = judged(simulate)
    alone = replace(evidence, loss={cell: values for cell, values in evidence.loss.items() if cell[0] != "dummy"})
    frame = winner_map(alone, pairs[pairs["first"] != "dummy"], costs()).set_index(["size", "budget_seconds"])
    assert frame.loc[(400, 1.0), "approach"] is None and frame.loc[(400, 60.0), "approach"] == "boosting"


@pytest.mark.parametrize("seconds, grid", [([], []), ([0.0002], [1.0]), ([90_000.0, 1e6], [86_400.0]), ([1.0], [1.0])])
def test_budgets_at_the_ends(seconds, grid):
    assert budget_grid(seconds) == grid


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(1e-4, 8e4), min_size=1, max_size=20))
def test_budgets_are_readable_and_reach_the_dearest(seconds):
    grid = budget_grid(seconds)
    assert 1 <= len(grid) <= MOST_BUDGETS and set(grid) <= set(BUDGETS) and grid == sorted(set(grid))
    assert grid[-1] >= max(seconds)
