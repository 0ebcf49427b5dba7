from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.verdict.winners import decide, lacking_families, winners_frame

ROWS = 20


def evidence_with(simulate, means, **changes):
    """One size, 100, with these mean losses and a margin of 0.1."""
    return simulate.evidence_of({(name, 100): np.full(ROWS, mean) for name, mean in means.items()}, **changes)


def pairs_of(**decisions):
    """`linear_mlp="first"` says that linear is better than mlp."""
    rows = [(*key.split("_"), 100, 0.0, 0.0, 0.0, decision) for key, decision in decisions.items()]
    return pd.DataFrame(rows, columns=["first", "second", "size", "difference", "low", "high", "decision"])


def only_row(evidence, pairs):
    frame = winners_frame(evidence, pairs)
    assert list(frame.columns) == [
        "size", "decision", "approaches", "best", "recommended", "score", "corrected_score", "regret", "regret_bound"]
    return frame.drop(columns=["score", "corrected_score", "regret", "regret_bound"]).iloc[0].to_dict()


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (-3, -2, 1, "first_materially"),
        (-3, -0.5, 1, "first"),
        (-3, -1, 1, "first"),
        (2, 3, 1, "second_materially"),
        (0.5, 3, 1, "second"),
        (-1, 1, 1, "equal"),
        (0, 0, 0, "equal"),
        (-1, 1.1, 1, "undecided"),
        (-0.5, -0.1, 1, "first"),
        (-np.inf, np.inf, 1, "undecided"),
        (np.nan, np.nan, 1, "undecided"),
    ],
)
def test_decisions(low, high, margin, expected):
    assert decide(low, high, margin) == expected


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0, 2))
def test_decision_mirrors_when_the_two_swap(middle, half, margin):
    swapped = {
        "first": "second",
        "second": "first",
        "first_materially": "second_materially",
        "second_materially": "first_materially",
    }
    decision = decide(middle - half, middle + half, margin)
    assert decide(-(middle + half), -(middle - half), margin) == swapped.get(decision, decision)


def test_winner_beats_every_other(simulate):
    evidence = evidence_with(simulate, {"dummy": 3, "linear": 2, "mlp": 1})
    row = only_row(evidence, pairs_of(dummy_linear="second", dummy_mlp="second_materially", linear_mlp="second"))
    assert row == {"size": 100, "decision": "winner", "approaches": ["mlp"], "best": "mlp", "recommended": "mlp"}


def tied(*names, means, half):
    """All pairs of these, undecided, with intervals of this half width around the difference of the means."""
    rows = [(one, other, 100, means[one] - means[other], means[one] - means[other] - half, means[one] - means[other] + half,
             "undecided") for one, other in combinations(names, 2)]
    rows += [("dummy", name, 100, 2.0, 1.0, 3.0, "second") for name in names]
    return pd.DataFrame(rows, columns=["first", "second", "size", "difference", "low", "high", "decision"])


def test_the_simplest_with_as_good_a_bound_of_regret_is_recommended(simulate):
    means = {"dummy": 3, "linear": 1.3, "forest": 1.05, "mlp": 1}
    row = winners_frame(evidence_with(simulate, means), tied("linear", "forest", "mlp", means=means, half=0.4)).iloc[0]
    assert (row["decision"], row["approaches"]) == ("top_set", ["mlp", "forest", "linear"])
    # The bounds are 0.70, 0.45 and 0.40: linear's is more than 1.5 times the smallest.
    assert (row["best"], row["recommended"]) == ("mlp", "forest")
    assert (row["regret"], row["regret_bound"]) == pytest.approx((0.05, 0.45))


def test_of_six_equals_the_dearest_is_not_recommended(simulate):
    names = ["linear", "pca", "forest", "lightgbm", "xgboost", "mlp"]
    means = {"dummy": 3} | {name: 1.2 - 0.03 * rank for rank, name in enumerate(names)}
    evidence = evidence_with(simulate, means)
    ranks = {name: rank for rank, name in enumerate(means)}
    row = winners_frame(replace(evidence, cost_ranks=ranks), tied(*names, means=means, half=0.5)).iloc[0]
    assert (row["best"], row["recommended"], row["regret_bound"]) == ("mlp", "linear", pytest.approx(0.65))


def test_within_the_margin_the_simplest_is_recommended_whatever_the_bounds(simulate):
    means = {"dummy": 3, "linear": 1.05, "mlp": 1}
    row = winners_frame(evidence_with(simulate, means), tied("linear", "mlp", means=means, half=0.04)).iloc[0]
    assert (row["recommended"], row["regret_bound"]) == ("linear", pytest.approx(0.09))  # mlp's would be 0


def test_whoever_is_better_than_all_others_has_no_regret(simulate):
    row = winners_frame(evidence_with(simulate, {"dummy": 3, "mlp": 1}), pairs_of(dummy_mlp="second")).iloc[0]
    assert (row["recommended"], row["regret"], row["regret_bound"]) == ("mlp", 0.0, 0.0)


def test_nobody_beats_the_constant(simulate):
    evidence = evidence_with(simulate, {"dummy": 3, "linear": 2, "mlp": 1})
    row = only_row(evidence, pairs_of(dummy_linear="undecided", dummy_mlp="undecided", linear_mlp="second"))
    assert row == {"size": 100, "decision": "none", "approaches": [], "best": "mlp", "recommended": None}


def test_without_a_constant_there_may_be_a_winner(simulate):
    row = only_row(evidence_with(simulate, {"linear": 2, "mlp": 1}), pairs_of(linear_mlp="second"))
    assert row["decision"] == "winner"


@pytest.mark.parametrize(("failed", "expected"), [(2, "winner"), (3, "none")])
def test_too_many_failures_are_no_verdict(simulate, failed, expected):
    imputed = np.arange(5) < failed
    evidence = evidence_with(
        simulate, {"linear": 2, "mlp": 1}, imputed={("linear", 100): imputed, ("mlp", 100): np.zeros(5, dtype=bool)}
    )
    assert only_row(evidence, pairs_of(linear_mlp="second"))["decision"] == expected


FAMILIES = {"dummy": "baseline", "linear": "linear", "pca": "linear", "forest": "trees", "mlp": "net", "mine": "own"}


@pytest.mark.parametrize(("best", "lacking", "recommended"), [
    ("linear", {"net"}, None),
    ("linear", {"trees"}, None),
    ("linear", {"trees", "net"}, None),
    ("linear", set(), "linear"),
    ("pca", {"net"}, None),
    ("pca", {"own"}, "pca"),
    ("forest", {"net"}, "forest"),
    ("mlp", {"linear", "trees"}, "mlp"),
    ("mine", {"trees", "net"}, "mine"),
])
def test_where_flexible_families_lack_nothing_simple_is_recommended(simulate, best, lacking, recommended):
    evidence = evidence_with(simulate, {"dummy": 3, best: 1}, families=FAMILIES)
    frame = winners_frame(evidence, pairs_of(**{f"dummy_{best}": "second"}), lacking={100: lacking})
    row = frame.drop(columns=["score", "corrected_score", "regret", "regret_bound"]).iloc[0].to_dict()
    assert row == {"size": 100, "decision": "winner", "approaches": [best], "best": best, "recommended": recommended}


def test_the_simplest_of_the_good_is_what_must_not_be_unopposed(simulate):
    evidence = evidence_with(simulate, {"dummy": 3, "linear": 1.05, "forest": 1}, families=FAMILIES)
    pairs = tied("linear", "forest", means={"linear": 1.05, "forest": 1}, half=0.3)
    assert winners_frame(evidence, pairs).iloc[0]["recommended"] == "linear"
    assert winners_frame(evidence, pairs, lacking={100: {"net"}}).iloc[0]["recommended"] is None
    assert winners_frame(evidence, pairs, lacking={400: {"net"}}).iloc[0]["recommended"] == "linear"


def test_a_family_lacks_where_it_is_missing_or_run_at_the_headline_alone(simulate):
    cells = [("dummy", 50), ("linear", 50), ("linear", 100), ("mlp", 100), ("linear", 400), ("forest", 400)]
    evidence = simulate.evidence_of({cell: np.ones(ROWS) for cell in cells}, families=FAMILIES)
    assert lacking_families(evidence, 100) == {50: {"net"}, 100: set(), 400: {"net"}}
    assert lacking_families(evidence, 100, {"trees"}) == {50: {"net", "trees"}, 100: {"trees"}, 400: {"net"}}
    assert lacking_families(evidence, 100, stopped=[("mlp", 400)]) == {50: {"net"}, 100: set(), 400: set()}


def test_one_approach_alone_wins_nothing(simulate):
    row = only_row(evidence_with(simulate, {"linear": 2}), pairs_of())
    assert (row["decision"], row["best"], row["recommended"]) == ("none", "linear", None)


def test_a_recommendation_changes_with_the_size_only_where_another_is_far_safer(simulate):
    means = {"dummy": 3.0, "linear": 1.0, "mlp": 1.0}
    evidence = simulate.evidence_of({(name, size): np.full(100, mean) for name, mean in means.items() for size in (20, 40, 80)})
    bounds = {80: (-0.5, 0.1), 40: (-0.2, 0.35), 20: (-0.1, 0.5)}  # of linear against mlp
    decided = pairs_of(dummy_linear="second", dummy_mlp="second", linear_mlp="undecided")
    pairs = pd.concat([decided.assign(size=size, low=low, high=high)
                       for size, (low, high) in bounds.items()])
    assert winners_frame(evidence, pairs)["recommended"].tolist() == ["mlp", "linear", "linear"]
