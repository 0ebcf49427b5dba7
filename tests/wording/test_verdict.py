from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.metric import METRICS, Metric
from tabbench.verdict.changing_places import ChangeOfPlaces, OverSizes, Place
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.outcome import Headline, Lead, Outcome, Reach, headline_of
from tabbench.verdict.winners import lacking_families, winners_frame
from tabbench.wording.changing_places import size_clauses
from tabbench.wording.limits import unjudged_sentence
from tabbench.wording.verdict import closing_sentence, doubted

ROWS = 1250
WIDE = 0.6


def evidence_with(simulate, means, *, sizes=(250, 1000), **changes):
    return simulate.evidence_of(
        {(name, size): np.full(ROWS, mean) for name, mean in means.items() for size in sizes}, **changes
    )


def pairs_of(decisions, size=1000, bounds=(0.2, 0.4), needed=np.nan, means=None):
    """Where nothing is shown, the interval lies around the difference of the means."""
    means, rows = means or MEANS, []
    for (first, second), decision in decisions.items():
        around = means.get(first, 1.0) - means.get(second, 1.0)
        low, high = (around - WIDE, around + WIDE) if decision in ("undecided", "equal") and bounds[0] == bounds[0] else bounds
        rows.append((first, second, size, (low + high) / 2, low, high, decision, needed))
    return pd.DataFrame(rows, columns=["first", "second", "size", "difference", "low", "high", "decision", "rows_to_settle"])


def said(*arguments, **options):
    return closing_sentence(headline_of(*arguments, **options))


WINS = {("dummy", "linear"): "second", ("dummy", "mlp"): "second", ("linear", "mlp"): "second"}
TIES = WINS | {("linear", "mlp"): "undecided"}
MEANS = {"dummy": 3.0, "linear": 1.05, "mlp": 1.0}
REPRESENTATIVES = ("linear", "mlp")


def sentence(
    simulate, decisions=None, found=(), *, means=None, full_size=1000, skipped=(), bounds=(0.2, 0.4), small=None,
    needed=np.nan, limited=None, missing=None, p_equal=0.0, **changes
):
    representatives = tuple(name for name in REPRESENTATIVES if name in (means or MEANS))
    evidence = evidence_with(simulate, means or MEANS, representatives=representatives, **changes)
    at_full = pairs_of(decisions or WINS, bounds=bounds, needed=needed, means=means)
    at_small = pairs_of(small or dict.fromkeys(decisions or WINS, "undecided"), size=250, means=means)
    pairs = pd.concat([at_small, at_full]).assign(p_equal=p_equal)
    winners = winners_frame(evidence, pairs, lacking=lacking_families(evidence, 1000, missing or ()))
    return closing_sentence(headline_of(evidence, winners, pairs, found, headline=1000, full_size=full_size, skipped=skipped,
                                        missing=missing), limited)


def crossing(kind, low=np.nan, high=np.nan, point=np.nan, below="linear", above="mlp"):
    return Crossing("linear", "mlp", kind, low, high, point, below, above)


def test_winner_that_is_never_behind(simulate):
    assert sentence(simulate, found=[crossing("none", below="", above="")]) == (
        "On 1,250 rows mlp wins: MSE 0.30 lower than the next best, linear (0.20 to 0.40); "
        "linear is not shown to be better at any size from 250 rows up."
    )


def test_winner_by_too_little(simulate):
    assert sentence(simulate, bounds=(0.01, 0.03), sizes=(1000,)) == (
        "On 1,250 rows mlp wins: MSE 0.020 lower than the next best, linear (0.010 to 0.030), "
        "too little to matter."
    )


def test_winner_over_the_constant_and_a_metric_where_more_is_better(simulate):
    metric = Metric("auc", ("binary",), True, lambda *_: 0.0, None)
    told = sentence(simulate, {("dummy", "mlp"): "second"}, means={"dummy": -0.5, "mlp": -0.8}, metric=metric, sizes=(1000,))
    assert told == "On 1,250 rows mlp wins: AUC 0.30 higher than a constant prediction (0.20 to 0.40)."


def test_bracket_below(simulate):
    assert sentence(simulate, found=[crossing("bracket", 252, 998, 513)]).endswith(
        "; linear is better below about 510 rows (somewhere between 250 and 1,000)."
    )


def test_bracket_above_another_representative(simulate):
    # The winner is not its family's representative: the sizes are said about the one that is.
    told = sentence(
        simulate,
        {**WINS, ("linear", "tree"): "second", ("mlp", "tree"): "second", ("dummy", "tree"): "second"},
        [crossing("bracket", 252, 998, 513)],
        means=MEANS | {"tree": 0.5},
        families={"dummy": "baseline", "linear": "linear", "mlp": "net", "tree": "linear"},
    )
    assert told.endswith("; mlp is better than linear above about 510 rows (somewhere between 250 and 1,000).")


@pytest.mark.parametrize(("ahead", "expected"), [
    ("linear", "linear is better between about 330 and 620 rows."),
    ("mlp", "linear may be as good below about 330 rows."),  # at the largest size mlp is shown to be better
])
def test_two_open_ends_of_one_pair_are_told_together(simulate, ahead, expected):
    behind = "mlp" if ahead == "linear" else "linear"
    ends = [crossing("open", high=328, below=behind, above=ahead), crossing("open", low=619, below=ahead, above=behind)]
    assert sentence(simulate, found=ends).endswith(f"; {expected}")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (crossing("open", high=513), "linear may be as good below about 510 rows"),
        (crossing("open", high=513, below="mlp", above="linear"), "linear is better above about 510 rows"),
        (crossing("open", low=513), "linear is better below about 510 rows"),
    ],
)
def test_open_ends(simulate, found, expected):
    assert sentence(simulate, found=[found]).endswith(f"; {expected}.")


def test_what_is_shown_at_the_size_that_decides_is_not_doubted(simulate):
    above = crossing("open", low=513, below="mlp", above="linear")
    assert "may be" not in sentence(simulate, found=[above])
    assert sentence(simulate, WINS | {("linear", "mlp"): "undecided"}, [above]).endswith(
        "; linear may be as good as mlp above about 510 rows.")


def test_what_is_unproven_between_two_shown_sizes(simulate):
    inner = crossing("open", 210, 790, np.nan, below="mlp", above="mlp")
    assert sentence(simulate, found=[inner]).endswith("; linear may be as good between about 210 and 790 rows.")
    ends = [crossing("open", high=60), inner, crossing("open", low=900, below="mlp", above="linear")]
    assert sentence(simulate, found=ends).endswith("; linear may be as good below about 60 and between about 210 and 790 rows.")
    assert sentence(simulate, WINS | {("linear", "mlp"): "undecided"}, ends).endswith(
        "; linear may be as good as mlp below about 60, between about 210 and 790 and above about 900 rows.")
    other = [replace(each, ahead_below=each.ahead_above, ahead_above=each.ahead_below) for each in ends]
    other[1] = replace(inner, ahead_below="linear", ahead_above="linear")
    assert sentence(simulate, found=other).endswith(
        "; linear is better between about 60 and 210 and between about 790 and 900 rows.")
    assert sentence(simulate, found=other[1:2]).endswith("; linear is better below about 210 and above about 790 rows.")


def test_what_is_unproven_down_to_the_smallest_size_is_below(simulate):
    found = [crossing("open", 250, 790, np.nan, below="mlp", above="mlp")]
    assert sentence(simulate, found=found).endswith("; linear may be as good below about 790 rows.")


def test_what_is_unproven_up_to_the_largest_size_is_above(simulate):
    found = [crossing("open", 513, 1000, np.nan, below="linear", above="linear")]
    assert sentence(simulate, found=found).endswith("; linear is better below about 510 rows.")
    found = [crossing("open", 513, 1000, np.nan, below="mlp", above="mlp")]
    assert sentence(simulate, WINS | {("linear", "mlp"): "undecided"}, found).endswith(
        "; linear may be as good as mlp above about 510 rows.")


def test_a_bracket_beside_what_is_unproven(simulate):
    found = [crossing("open", high=33, below="mlp", above="linear"), crossing("bracket", 100, 200, 150)]
    assert sentence(simulate, found=found).endswith(
        "; linear is better below about 150 rows (somewhere between 100 and 200), and perhaps once more below about 33 rows.")


def test_who_is_shown_at_some_sizes_only_is_not_said_to_be_better_at_all_of_them(simulate):
    found = [crossing("bracket", 351, 839, 600)]
    shown = {("dummy", "linear"): "second", ("dummy", "mlp"): "second", ("linear", "mlp"): "first"}
    told = sentence(simulate, found=found, small=shown, sizes=(60, 250, 1000))
    assert told.endswith("; linear is better between 250 and about 600 rows (the upper end somewhere between 350 and 840).")
    whole = sentence(simulate, found=found, small=shown)
    assert whole.endswith("; linear is better below about 600 rows (somewhere between 350 and 840).")
    above = [crossing("bracket", 101, 162, 124, "mlp", "linear")]
    assert sentence(simulate, found=above, small=shown).endswith(
        "; linear is better between about 120 and 250 rows (the lower end somewhere between 100 and 170).")
    below = [crossing("open", low=513)]
    assert sentence(simulate, found=below, small=shown, sizes=(60, 250, 1000)).endswith(
        "; linear is better between about 250 and 510 rows.")


def test_ends_of_a_bracket_are_rounded_outwards(simulate):
    assert "somewhere between 1,400 and 1,700)" in sentence(simulate, found=[crossing("bracket", 1451, 1649, 1500)])
    ends = [crossing("open", high=196, below="mlp", above="linear"), crossing("open", low=204)]
    assert sentence(simulate, found=ends).endswith("; linear is better at about 200 rows.")


def test_several_crossings_are_told_once(simulate):
    found = [crossing("several", 100, 200, 150), crossing("several", 500, 900, 700, "mlp", "linear")]
    assert sentence(simulate, found=found).endswith(
        "; mlp and linear change places more than once (between 100 and 200 and between 500 and 900 rows)."
    )


def test_winner_that_is_behind_somewhere_without_a_place_claims_nothing(simulate):
    small = dict.fromkeys(WINS, "first")
    assert "at any size" not in sentence(simulate, small=small, found=[crossing("undecided", below="", above="")])


def test_top_set(simulate):
    assert sentence(simulate, TIES, sizes=(1000,)) == (
        "On 1,250 rows mlp and linear are not separated; take linear: at most 0.65 MSE worse than the best (95 %), probably "
        "0.050."
    )


def test_top_set_of_equals_with_a_crossing(simulate):
    assert sentence(simulate, WINS | {("linear", "mlp"): "equal"}, [crossing("open", high=513)]) == (
        "On 1,250 rows mlp and linear are practically equal; take linear: at most 0.65 MSE worse than the best (95 %), probably "
        "0.050; "
        "linear may be as good as mlp below about 510 rows."
    )


def test_top_set_with_one_that_is_far_from_the_best(simulate):
    assert sentence(simulate, TIES, means=MEANS | {"linear": 1.5}, sizes=(1000,)) == (
        "On 1,250 rows mlp and linear are not separated; take mlp: at most 0.10 MSE worse than the best (95 %)."
    )
    three = {**TIES, ("dummy", "tree"): "second", ("linear", "tree"): "undecided", ("mlp", "tree"): "undecided"}
    assert sentence(simulate, three, means=MEANS | {"linear": 1.5, "tree": 0.95}, sizes=(1000,)) == (
        "On 1,250 rows tree, mlp and linear are not separated; take mlp: at most 0.65 MSE worse than the best (95 %), probably "
        "0.050."
    )


def test_many_that_are_not_separated_are_counted(simulate):
    names = ["linear", "mlp", "tree", "forest"]
    tied = {("dummy", name): "second" for name in names} | dict.fromkeys(combinations(names, 2), "undecided")
    assert sentence(simulate, tied, means=MEANS | {"tree": 1.0, "forest": 1.0}, sizes=(1000,)).startswith(
        "On 1,250 rows 4 approaches are not separated; take linear: at most ")


def test_who_was_stopped_by_a_race_is_named(simulate):
    evidence, pairs = evidence_with(simulate, MEANS, sizes=(1000,)), pairs_of(WINS)
    gone = [("flat", 1000), ("late", 1000)]
    for stopped, who in ((gone[:1], "flat was"), (gone, "flat and late were")):
        told = said(evidence, winners_frame(evidence, pairs), pairs, [], headline=1000, full_size=1000, skipped=gone,
                    stopped=stopped)
        assert f"; {who} stopped early for futility at a smaller size, so this holds among the approaches that went on" in told
        assert told.endswith("; late was left out.") == (len(stopped) == 1)


def test_one_change_of_places_is_told(simulate):
    over = OverSizes("mlp", 250, tuple(ChangeOfPlaces(name, "mlp", Place.BETTER, ((np.nan, 500.0),)) for name in "abc"))
    assert size_clauses(over, "mlp") == ["a is better below about 500 rows"]
    assert size_clauses(replace(over, changes=over.changes[2:])) == ["c is better than mlp below about 500 rows"]
    assert size_clauses(None) == []


def test_top_set_of_one(simulate):
    three = {
        **TIES,
        ("dummy", "tree"): "second",
        ("linear", "tree"): "first",
        ("mlp", "tree"): "undecided",
        ("linear", "mlp"): "second",
    }
    assert sentence(simulate, three, means=MEANS | {"tree": 2.0}, sizes=(1000,)) == (
        "On 1,250 rows mlp is ahead, but it is not shown to be better than every other approach; take mlp."
    )


def test_no_verdicts(simulate):
    nothing = dict.fromkeys(WINS, "undecided")
    assert sentence(simulate, nothing) == "On 1,250 rows nothing is shown to be better than a constant prediction."
    failed = {(name, size): np.full(5, name == "mlp") for name in MEANS for size in (250, 1000)}
    assert sentence(simulate, imputed=failed) == "On 1,250 rows there is no verdict, because 33% of the runs failed."
    blind = "too few splits, or rows of a class, to estimate errors"
    assert sentence(simulate, nothing, bounds=(np.nan, np.nan)) == (
        f"On 1,250 rows there is no verdict: {blind}; try other splits or another metric."
    )
    alone = evidence_with(simulate, {"linear": 1.0})
    pairs = pairs_of({})
    assert said(alone, winners_frame(alone, pairs), pairs, [], headline=1000, full_size=1000) == (
        "On 1,250 rows there is no verdict, because only linear was run."
    )


def test_the_rows_needed_to_decide_are_said_where_nothing_is_decided(simulate):
    tied = ("On 1,250 rows mlp and linear are not separated; take linear: at most 0.65 MSE worse than the best (95 %), probably "
            "0.050")
    assert sentence(simulate, TIES, needed=5312.0, sizes=(1000,), repeats=3) == (
        f"{tied}; deciding would need about 5,400 rows in all, and more repeats would hardly help.")
    assert sentence(simulate, TIES, needed=5312.0, sizes=(1000,), repeats=1) == (
        f"{tied}; deciding would need about 5,400 rows in all, and more repeats might help a little.")
    assert sentence(simulate, TIES, needed=5312.0, sizes=(1000,), split_kind="ordered") == (
        f"{tied}; deciding would need about 5,400 rows in all.")
    assert sentence(simulate, TIES, needed=np.inf, sizes=(1000,)) == (
        f"{tied}; these rows do not show how many would decide it.")
    assert sentence(simulate, TIES, needed=np.inf, sizes=(1000,), p_equal=0.6) == (
        f"{tied}; linear and mlp are so close that a hundred times as many rows might not decide it.")
    assert sentence(simulate, dict.fromkeys(WINS, "undecided"), needed=2000.0, repeats=3) == (
        "On 1,250 rows nothing is shown to be better than a constant prediction; deciding would need about 2,000 rows in all, "
        "and more repeats would hardly help.")
    assert "deciding" not in sentence(simulate, WINS, needed=2000.0)
    failed = {(name, size): np.full(5, name == "mlp") for name in MEANS for size in (250, 1000)}
    assert "deciding" not in sentence(simulate, TIES, needed=2000.0, imputed=failed)


def test_sizes_and_approaches_that_were_not_run_are_named(simulate):
    told = sentence(
        simulate,
        TIES,
        full_size=8000,
        sizes=(1000,),
        skipped=[("mlp", 8000), ("forest", 1000), ("forest", 8000), ("pca", 1000)],
    )
    assert told == (
        "At 1,000 rows, the largest size that was run, mlp and linear are not separated; take linear: at most 0.65 MSE worse "
        "than the best (95 %), probably 0.050; forest and pca were left out."
    )
    assert sentence(simulate, TIES, sizes=(1000,), skipped=[("forest", 1000)]).endswith("; forest was left out.")


FAMILIES = {"dummy": "baseline", "linear": "linear", "pca": "linear", "boosting": "trees"}
TREES_LEAD = {("dummy", "linear"): "second", ("dummy", "boosting"): "second", ("linear", "boosting"): "second"}
LINEAR_LEADS = TREES_LEAD | {("linear", "boosting"): "first"}
NO_NET = {"net": ["mlp", "tabm"]}
ONLY_LINEAR = {"trees": ["boosting"], "net": ["mlp"]}


def of_families(simulate, decisions, means, missing=NO_NET, limited=None, **changes):
    return sentence(simulate, decisions, means={"dummy": 3.0} | means, sizes=(1000,), families=FAMILIES, missing=missing,
                    limited=limited, **changes)


def test_a_family_that_was_not_run_comes_first(simulate):
    means, wins = {"linear": 1.3, "boosting": 1.0}, (
        "boosting wins: MSE 0.30 lower than the next best, linear (0.20 to 0.40)")
    assert of_families(simulate, TREES_LEAD, means, limited=Limited(seconds=170.0)) == (
        f"No neural net was run, as the time limit was too short (about 3 minutes would do): on 1,250 rows {wins}.")
    assert of_families(simulate, TREES_LEAD, means) == (
        f"No neural net was run, as the time limit was too short: on 1,250 rows {wins}.")
    assert of_families(simulate, TREES_LEAD, means, limited=Limited(is_interrupted=True)) == (
        f"No neural net was run, as the run was interrupted (tabbench resume continues it): on 1,250 rows {wins}.")
    assert of_families(simulate, {("dummy", "boosting"): "second"}, {"boosting": 1.0}, {"linear": ["linear"]}) == (
        "No linear model was run, as the time limit was too short: on 1,250 rows boosting wins: MSE 0.30 lower than a constant "
        "prediction (0.20 to 0.40).")
    assert of_families(simulate, TREES_LEAD, means, {}, Limited(seconds=170.0)) == f"On 1,250 rows {wins}."


def test_over_families_that_were_not_run_nothing_simple_is_recommended(simulate):
    means = {"linear": 1.0, "boosting": 1.3}
    lead = "MSE 0.30 lower than the next best, boosting (0.20 to 0.40)"
    assert of_families(simulate, LINEAR_LEADS, means, limited=Limited(seconds=170.0)) == (
        "No neural net was run, as the time limit was too short, so nothing is recommended (a recommendation takes about 3 "
        f"minutes): on 1,250 rows linear is ahead of the others that were run: {lead}.")
    assert of_families(simulate, LINEAR_LEADS, means, limited=Limited(is_interrupted=True)) == (
        "No neural net was run, as the run was interrupted, so nothing is recommended (tabbench resume continues it): on 1,250 "
        f"rows linear is ahead of the others that were run: {lead}.")
    assert of_families(simulate, LINEAR_LEADS, means, {}) == f"On 1,250 rows linear wins: {lead}."


def test_a_top_set_without_a_recommendation(simulate):
    pairs = {("dummy", "linear"): "second", ("dummy", "pca"): "second", ("linear", "pca"): "undecided"}
    means = {"linear": 1.0, "pca": 1.05}
    tied = "on 1,250 rows linear and pca are not separated"
    assert of_families(simulate, pairs, means, ONLY_LINEAR) == (
        f"Neither boosted trees nor a neural net was run, as the time limit was too short, so nothing is recommended: {tied}.")
    assert of_families(simulate, pairs, means, {}) == (
        f"O{tied[1:]}; take linear: at most 0.55 MSE worse than the best (95 %).")
    alone = "linear is ahead, but it is not shown to be better than every other approach"
    three = LINEAR_LEADS | {("dummy", "pca"): "second", ("boosting", "pca"): "first", ("linear", "pca"): "undecided"}
    means = {"linear": 1.0, "boosting": 1.05, "pca": 1.5}
    assert of_families(simulate, three, means) == (
        f"No neural net was run, as the time limit was too short, so nothing is recommended: on 1,250 rows {alone}.")
    assert of_families(simulate, three, means, {}) == f"On 1,250 rows {alone}; take linear."


def test_without_a_verdict_the_missing_families_still_come_first(simulate):
    nothing = dict.fromkeys(LINEAR_LEADS, "undecided")
    assert of_families(simulate, nothing, {"linear": 1.0, "boosting": 1.3}, limited=Limited(seconds=55.0)) == (
        "No neural net was run, as the time limit was too short (about 1 minute would do): on 1,250 rows nothing is shown to be "
        "better than a constant prediction.")
    alone = {"linear": ["linear"], "trees": ["boosting"], "net": ["mlp"]}
    assert of_families(simulate, {("dummy", "linear"): "second"}, {}, alone) == (
        "Neither a linear model nor boosted trees nor a neural net was run, as the time limit was too short: on 1,250 rows there "
        "is no verdict, because only dummy was run.")
    assert of_families(simulate, {}, {}, {"linear": ["linear"], "trees": ["boosting"]}).startswith(
        "Neither a linear model nor boosted trees were run, as ")
    assert of_families(simulate, {}, {}, {"trees": ["boosting"]}).startswith("No boosted trees were run, as ")


def test_a_family_that_was_run_on_fewer_rows_is_not_said_to_be_missing_everywhere(simulate):
    run = [("dummy", 250), ("dummy", 1000), ("mlp", 250), ("linear", 1000)]
    losses = {cell: np.full(ROWS, 1.0) for cell in run}
    evidence = simulate.evidence_of(losses, families=FAMILIES | {"mlp": "net"})
    pairs = pairs_of({("dummy", "linear"): "undecided"})
    told = said(evidence, winners_frame(evidence, pairs), pairs, [], headline=1000, full_size=1000,
                            missing={"net": ["mlp"]})
    assert told == ("No neural net was run on so many rows, as the time limit was too short: on 1,250 rows nothing is shown to "
                    "be better than a constant prediction.")


@pytest.mark.parametrize(("limited", "clause"), [
    (Limited(("2 of 3 repeats", "every second size"), 200.0),
     "; the time limit cost 2 of 3 repeats and every second size (about 4 minutes would be enough)."),
    (Limited(("2 of 3 repeats",)), "; the time limit cost 2 of 3 repeats."),
    (Limited(("effort (0.12 instead of 0.3)",), 5_000.0),
     "; the time limit cost effort (0.12 instead of 0.3); about 1.5 hours would be enough."),
    (Limited(("2 of 3 repeats", "every second size"), 200.0, is_interrupted=True),
     "; the run was interrupted before it reached 2 of 3 repeats and every second size (tabbench resume continues it)."),
    (Limited((), 200.0), "."),
    (Limited((), is_interrupted=True), "."),
    (None, "."),
])
def test_what_a_limit_has_cost_is_told_last(simulate, limited, clause):
    told = sentence(simulate, TIES, sizes=(1000,), limited=limited)
    assert told == ("On 1,250 rows mlp and linear are not separated; take linear: at most 0.65 MSE worse than the best (95 %), "
                    f"probably 0.050{clause}")


def test_what_would_lift_a_limit_is_told_once(simulate):
    means = {"linear": 1.3, "boosting": 1.0}
    limited = Limited(("2 of 3 repeats",), 170.0)
    told = of_families(simulate, TREES_LEAD, means, limited=limited)
    assert told.count("about 3 minutes") == 1 and told.endswith("; the time limit also cost 2 of 3 repeats.")
    told = of_families(simulate, TREES_LEAD, means, limited=replace(limited, is_interrupted=True))
    assert told.count("resume") == 1 and told.endswith("; the run was interrupted before it reached 2 of 3 repeats.")


def test_what_the_limit_has_cost_is_not_left_out_once_more(simulate):
    skipped = [("mlp", 1000), ("tabm", 1000), ("forest", 1000), ("linear+pca", 1000), ("catboost", 1000)]
    means = {"linear": 1.3, "boosting": 1.0}
    limited = Limited(("linear+pca and forest",))
    told = of_families(simulate, TREES_LEAD, means, limited=limited, skipped=skipped)
    assert told.endswith("; catboost was left out; the time limit also cost linear+pca and forest.")
    told = of_families(simulate, TREES_LEAD, means, {}, skipped=skipped)
    assert told.endswith("; catboost, forest, linear+pca, mlp and tabm were left out.")


@pytest.mark.parametrize(("run", "missing", "where"), [
    ({250: ("linear", "mlp"), 1000: ("linear", "mlp"), 4000: ("linear",)}, None, "every family"),
    ({250: ("linear", "mlp"), 1000: ("linear", "mlp"), 4000: ("linear",)}, {"trees": ["boosting"]}, "every other family"),
    ({250: ("linear", "tree"), 1000: ("linear", "mlp"), 4000: ("linear",)}, None, "most families"),
])
def test_the_headlines_place_among_the_sizes_is_told(simulate, run, missing, where):
    losses = {(name, size): np.full(ROWS, 1.0) for size, names in run.items() for name in ("dummy", *names)}
    evidence, pairs = simulate.evidence_of(losses), pairs_of({("dummy", "linear"): "undecided"})
    told = said(evidence, winners_frame(evidence, pairs), pairs, [], headline=1000, full_size=4000, missing=missing)
    assert told.lower().endswith(f"at 1,000 rows, the largest with {where}, nothing is shown to be better than a "
                                 "constant prediction.")


@pytest.mark.parametrize(("stopped", "which"), [
    ([("mlp", 1000), ("mlp", 4000)], "every family"), ([], "most families")])
def test_what_a_race_has_stopped_is_no_family_less(simulate, stopped, which):
    run = {250: ("mlp",), 1000: ("linear",), 4000: ()}
    losses = {(name, size): np.full(ROWS, 1.0) for size, names in run.items() for name in ("dummy", *names)}
    evidence, pairs = simulate.evidence_of(losses), pairs_of({("dummy", "linear"): "undecided"})
    told = said(evidence, winners_frame(evidence, pairs), pairs, [], headline=1000, full_size=4000, stopped=stopped)
    assert told.startswith(f"At 1,000 rows, the largest with {which}, nothing is shown ")


def test_a_run_without_any_result_says_what_would_give_one():
    nothing = "No approach was finished at any size, so there is no verdict yet"
    assert unjudged_sentence(None) == f"{nothing}: continue the run, with more time if it had a limit."
    assert unjudged_sentence(Limited(("every size",), 100.0)) == (
        f"{nothing}: continue the run with a time limit of about 2 minutes, which would give one.")
    assert unjudged_sentence(Limited(is_interrupted=True)) == (
        f"{nothing}: the run was interrupted, and tabbench resume continues it.")


def test_single_split_is_said(simulate):
    evidence = evidence_with(simulate, MEANS, sizes=(1000,), representatives=REPRESENTATIVES)
    only = {name: {cell: each[:1] for cell, each in getattr(evidence, name).items()} for name in ("loss", "imputed")}
    single = replace(evidence, split=np.zeros(ROWS, dtype=np.int64), **only)
    pairs = pairs_of(TIES)
    assert said(single, winners_frame(single, pairs), pairs, [], headline=1000, full_size=1000).startswith(
        "On 1,250 rows, by a single split, mlp and linear are not separated"
    )
    assert said(single, winners_frame(single, pairs), pairs, [], headline=1000, full_size=9999).startswith(
        "At 1,000 rows, the largest size that was run, by a single split, mlp and linear are not separated"
    )


def test_from_a_single_split_no_approach_wins(simulate):
    evidence = evidence_with(simulate, MEANS, sizes=(1000,), representatives=REPRESENTATIVES)
    only = {name: {cell: each[:1] for cell, each in getattr(evidence, name).items()} for name in ("loss", "imputed")}
    single, pairs = replace(evidence, split=np.zeros(ROWS, dtype=np.int64), **only), pairs_of(WINS)
    assert said(single, winners_frame(single, pairs), pairs, [], headline=1000, full_size=1000) == (
        "On 1,250 rows, by a single split, of these fitted models that of mlp is the best; another training may change "
        "that; take mlp.")


@pytest.mark.parametrize(("metric", "cure"), [
    (METRICS.get("rmse"), "judge by MAE (--metric mae), take the logarithm of the target or gather more rows"),
    (METRICS.get("log_loss"), "gather more rows")])
def test_a_few_rows_that_decide_are_told(simulate, metric, cure):
    loss = np.full(100, 0.1)
    loss[:3] = 5.0
    evidence = simulate.evidence_of({(name, 80): loss * mean for name, mean in MEANS.items()}, metric=metric)
    pairs = pairs_of(TIES, size=80)
    told = said(evidence, winners_frame(evidence, pairs), pairs, [], headline=80, full_size=80)
    assert told.endswith(f"; a few rows decide: 2 of 100 rows carry half of the loss; {cure}.")
    decided = pairs_of(WINS, size=80)
    assert "a few rows" not in said(evidence, winners_frame(evidence, decided), decided, [], headline=80, full_size=80)


def test_a_finding_that_spoils_makes_the_verdict_suspect():
    verdict = "On 1,250 rows mlp wins."
    leak = Finding("target-copy", "block", "code", "the column `code` tells the target `y` exactly", spoils=True)
    other = Finding("single-feature", "warn", "late", "the column `late` alone predicts 97% of it", spoils=True)
    remark = Finding("imbalance", "info", "c0", "rare among 1,250 rows")
    assert doubted(verdict, [remark]) == verdict
    assert doubted(verdict, [leak, remark]) == ("This verdict is suspect: the column `code` tells the target `y` exactly. As the "
                                                "table stands: on 1,250 rows mlp wins.")
    assert doubted("On 9 rows all tie.", [leak], is_decided=False) == (
        "These data are suspect: the column `code` tells the target `y` exactly. As the table stands: on 9 rows all tie.")
    assert doubted(verdict, [leak, other]) == ("This verdict is suspect: the column `code` tells the target `y` exactly (and 1 "
                                               "more of the kind). As the table stands: on 1,250 rows mlp wins.")


LEAD = Lead("log_loss", is_higher=False, difference=0.031, near=0.010, far=0.053, other="linear+forest", is_over_constant=False,
            is_too_little=True)
THREE = ("boosting", "linear+forest", "blend")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_answer_has_at_most_twenty_five_words(outcome):
    names = THREE if outcome in {Outcome.TIED, Outcome.EQUAL} else THREE[:1]
    told = closing_sentence(Headline(
        outcome, 43_151, Reach.FULL, is_single_split=False, best="boosting", approaches=names, recommended="boosting",
        failed=0.3, lead=LEAD if outcome is Outcome.WINNER else None, regret_bound=0.031, metric="log_loss", regret=0.0051))
    assert len(told.split()) <= 25
