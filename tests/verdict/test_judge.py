from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.judge import headline_size, judge
from tabbench.verdict.outcome import Missing, Outcome, Reach
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.variance import make_contrasts, spread

SWAPPED = {
    "first": "second",
    "second": "first",
    "first_materially": "second_materially",
    "second_materially": "first_materially",
}


def three(simulate, seed=0, sizes=(30, 60, 240), rows=300, gap=0.5, **changes):
    random = np.random.default_rng(seed)
    means = {"dummy": 3.0, "linear": 1.0 + gap, "mlp": 1.0}
    return simulate.evidence_of(
        {(name, size): mean * random.gamma(4, 0.25, (5, rows)) for size in sizes for name, mean in means.items()},
        representatives=("linear", "mlp"),
        **changes,
    )


def test_frames_have_the_contracts_columns_and_every_claim_once(simulate):
    judgement = judge(three(simulate, gap=1.0), full_size=240)
    for name in ("winners", "pairs", "crossovers"):
        assert tuple(getattr(judgement, name).columns) == COLUMNS[name]
    assert len(judgement.pairs) == 9
    assert not judgement.pairs.duplicated(["first", "second", "size"]).any()
    assert list(judgement.winners["size"]) == [30, 60, 240]
    assert len(judgement.crossovers) == 1
    full = judgement.pairs[judgement.pairs["size"] == 240]
    assert list(full["decision"]) == ["second_materially"] * 3
    assert judgement.winners.iloc[-1]["approaches"] == ["mlp"]


def test_same_evidence_same_judgement(simulate):
    one, other = (judge(three(simulate), full_size=240, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.pairs, other.pairs)
    assert one.headline == other.headline


def test_listing_order_only_turns_signs(simulate):
    evidence = three(simulate, gap=0.05)
    turned = replace(evidence, approaches=evidence.approaches[::-1])
    one, other = judge(evidence, full_size=240), judge(turned, full_size=240)
    right = other.pairs.set_index(["second", "first", "size"])
    for row in one.pairs.itertuples():
        mirrored = right.loc[(row.first, row.second, row.size)]
        assert mirrored["difference"] == pytest.approx(-row.difference)
        # The quantiles are drawn, so equal only up to their own error.
        assert (mirrored["low"], mirrored["high"]) == pytest.approx((-row.high, -row.low), rel=0.03, abs=0.003)
        assert mirrored["decision"] == SWAPPED.get(row.decision, row.decision)


def test_each_family_of_claims_has_its_own_quantile(simulate):
    # At the headline one pair and two with the constant; one pair of representatives and two others at each smaller size.
    evidence = three(simulate)
    cells = [(name, size) for size in evidence.sizes for name in evidence.present(size)]
    pairs = [(first, second) for first in range(9) for second in range(first + 1, 9) if cells[first][1] == cells[second][1]]
    errors = spread(evidence, make_contrasts(evidence, cells, row_moments(evidence, cells), pairs))
    frame = judge(evidence, full_size=240).pairs
    level = 2 * student.sf((frame["high"] - frame["low"]) / 2 / errors.standard_error, errors.degrees)
    at_headline, has_constant = frame["size"] == 240, frame["first"].eq("dummy")
    alone, over_constant = at_headline & ~has_constant, at_headline & has_constant
    represents, rest = ~at_headline & ~has_constant, ~at_headline & has_constant
    for family in (over_constant, represents, rest):
        assert level[family].max() < 1.2 * level[family].min()
    assert level[alone].item() == pytest.approx(0.05, rel=1e-3)  # of the constant nothing is charged to it
    assert level[alone].min() > level[over_constant].max() > level[rest].max()


def test_the_same_predictions_are_equal_without_a_margin(simulate):
    loss = np.random.default_rng(0).gamma(4, 0.25, 300)
    evidence = simulate.evidence_of({("dummy", 240): loss + 1, ("a", 240): loss, ("b", 240): loss}, margin=0.0)
    pairs = judge(evidence, full_size=240).pairs.set_index(["first", "second"])
    assert pairs.loc[("a", "b"), "decision"] == "equal"
    assert pairs.loc[("a", "b"), ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert pairs.loc[("dummy", "a"), "decision"] == "second_materially"


def test_one_split_never_shows_that_two_are_practically_equal(simulate):
    loss = np.random.default_rng(0).gamma(4, 0.25, 300)
    whole = simulate.evidence_of({("a", 240): loss, ("b", 240): loss + 0.01 * np.sin(np.arange(300))}, margin=0.1)
    inside = whole.split == 0
    single = replace(whole, split=whole.split[inside], unit=whole.unit[inside], folds=5, overlap={240: 0.0},
                     loss={cell: each[:1] for cell, each in whole.loss.items()},
                     row_loss={cell: each[inside] for cell, each in whole.row_loss.items()},
                     imputed={cell: each[:1] for cell, each in whole.imputed.items()})
    assert list(judge(whole, full_size=240).pairs["decision"]) == ["equal"]
    assert list(judge(single, full_size=240).pairs["decision"]) == ["undecided"]


def test_what_was_not_run_is_absent(simulate):
    evidence = three(simulate)
    loss = {cell: each for cell, each in evidence.loss.items() if cell not in {("mlp", 240), ("mlp", 30)}}
    partial = replace(evidence, loss=loss, row_loss={cell: evidence.row_loss[cell] for cell in loss})
    assert headline_size(partial) == 60
    judgement = judge(partial, full_size=240, skipped=[("mlp", 240), ("mlp", 30)])
    assert len(judgement.pairs) == 5
    assert (judgement.headline.rows, judgement.headline.reach) == (60, Reach.ALL_FAMILIES)
    assert judgement.headline.left_out == ()


def run_at(simulate, **names_at):
    """Evidence of the approaches named at each size: `s60="linear mlp"`; "dummy" is there, too."""
    loss = np.random.default_rng(0).gamma(4, 0.25, 300)
    cells = [(name, int(size[1:])) for size, names in names_at.items() for name in ("dummy", *names.split())]
    families = {"dummy": "baseline", "linear": "linear", "pca": "linear", "forest": "trees", "boosting": "trees", "mlp": "net",
                "blend": "blend", "mine": "own"}
    return simulate.evidence_of(dict.fromkeys(cells, loss), families=families)


@pytest.mark.parametrize(("names_at", "headline"), [
    ({"s60": "linear pca forest boosting mlp", "s120": "linear boosting mlp", "s240": "linear boosting"}, 120),  # not the most
    ({"s60": "linear boosting mlp", "s240": "pca forest mlp"}, 240),  # others of the same families
    ({"s60": "linear boosting blend", "s240": "linear boosting"}, 240),  # a blend is made of the others
    ({"s60": "linear boosting mine", "s240": "linear boosting"}, 60),
    ({"s60": "linear boosting", "s120": "linear mlp", "s240": "mlp"}, 120),  # no size has all: the most, the largest
    ({"s60": "", "s240": ""}, 240),
])
def test_the_headline_is_the_largest_size_with_all_families(simulate, names_at, headline):
    assert headline_size(run_at(simulate, **names_at)) == headline


def test_what_a_race_has_stopped_counts_for_its_family(simulate):
    evidence = run_at(simulate, s60="linear boosting mlp", s120="linear boosting", s240="linear")
    assert headline_size(evidence) == 60
    assert headline_size(evidence, stopped=[("mlp", 120), ("mlp", 240)]) == 120
    assert headline_size(evidence, stopped=[("mlp", 120), ("mlp", 240), ("boosting", 240)]) == 240


def test_below_the_full_size_no_number_of_rows_is_needed_to_decide(simulate):
    evidence = three(simulate, gap=0.01)
    at_full, below = (judge(evidence, full_size=full_size) for full_size in (240, 1000))
    assert at_full.pairs["rows_to_settle"].notna().all() and below.pairs["rows_to_settle"].isna().all()
    assert below.pairs["rows_to_settle"].dtype == "float64"
    assert at_full.headline.rows_needed.rows == at_full.pairs.set_index(["first", "second", "size"])["rows_to_settle"].loc[
        "linear", "mlp", 240]
    assert below.headline.rows_needed is None
    for name in ("difference", "low", "high", "decision"):
        assert at_full.pairs[name].equals(below.pairs[name])


def lead_of(simulate, best, run, missing=None, **told):
    """The judgement where `best` is ahead of the other approaches of `run`, size -> names, and of a constant."""
    random = np.random.default_rng(0)
    means = {"dummy": 3.0} | {name: 1.0 if name == best else 2.0 for names in run.values() for name in names}
    losses = {(name, size): means[name] * random.gamma(4, 0.25, (5, 300)) for size, names in run.items()
              for name in ("dummy", *names)}
    families = {"dummy": "baseline", "linear": "linear", "boosting": "trees", "mlp": "net"}
    return judge(simulate.evidence_of(losses, families=families), full_size=240, missing=missing, **told)


def test_over_missing_families_linear_is_best_and_not_recommended(simulate):
    run = {60: ("linear", "boosting"), 240: ("linear", "boosting")}
    missing, whole = (lead_of(simulate, "linear", run, families) for families in ({"net": ["mlp"]}, {}))
    kept = ["size", "decision", "approaches", "best", "score"]
    pd.testing.assert_frame_equal(missing.winners[kept], whole.winners[kept])
    assert list(missing.winners["recommended"]) == [None, None]
    assert list(whole.winners["recommended"]) == ["linear", "linear"]
    assert missing.headline.outcome is whole.headline.outcome is Outcome.WINNER
    assert missing.headline.missing == Missing({"net": ["mlp"]}, are_run_below=False) and missing.headline.is_withheld
    assert (whole.headline.best, whole.headline.rows, whole.headline.recommended) == ("linear", 300, "linear")
    assert whole.headline.missing == Missing({}, are_run_below=False) and not whole.headline.is_withheld
    trees = lead_of(simulate, "boosting", run, {"net": ["mlp"]})
    assert list(trees.winners["recommended"]) == ["boosting", "boosting"]


def test_at_a_size_that_lacks_a_family_of_the_headline_linear_is_not_recommended(simulate):
    run = {30: ("linear", "boosting"), 60: ("linear", "boosting", "mlp"), 240: ("linear", "boosting")}
    judged = lead_of(simulate, "linear", run)
    assert (judged.headline.rows, judged.headline.reach) == (60, Reach.ALL_FAMILIES)
    assert (judged.headline.outcome, judged.headline.best) == (Outcome.WINNER, "linear")
    assert list(judged.winners["recommended"]) == [None, "linear", None]
    assert list(judged.winners["decision"]) == ["winner", "winner", "winner"]
    raced = lead_of(simulate, "linear", run, stopped=[("mlp", 240)], skipped=[("mlp", 240)])
    assert list(raced.winners["recommended"]) == [None, "linear", "linear"]


def test_one_approach_alone_is_judged_without_pairs(simulate):
    evidence = simulate.evidence_of({("linear", 240): np.random.default_rng(0).random(300)})
    judgement = judge(evidence, full_size=240)
    assert len(judgement.pairs) == len(judgement.crossovers) == 0
    assert list(judgement.winners["decision"]) == ["none"]


def test_metric_without_row_losses(simulate):
    judgement = judge(replace(three(simulate), row_loss={}), full_size=240)
    assert judgement.pairs[["low", "high"]].notna().all(axis=None)
    assert judgement.winners.iloc[-1]["decision"] == "winner"


def single_split(evidence):
    chosen = evidence.split == 0
    return replace(
        evidence,
        split=evidence.split[chosen],
        unit=evidence.unit[chosen],
        overlap=dict.fromkeys(evidence.sizes, 0.0),
        row_loss={cell: each[chosen] for cell, each in evidence.row_loss.items()},
        loss={cell: each[:1] for cell, each in evidence.loss.items()},
        imputed={cell: each[:1] for cell, each in evidence.imputed.items()},
    )


def test_single_split(simulate):
    evidence = single_split(three(simulate))
    judgement = judge(evidence, full_size=240)
    assert judgement.pairs[["low", "high"]].notna().all(axis=None)
    assert (judgement.winners.iloc[-1]["decision"], judgement.winners.iloc[-1]["approaches"]) == ("top_set", ["mlp"])
    assert set(judgement.pairs["decision"]) <= {"second_materially", "undecided"}
    blind = judge(replace(evidence, row_loss={}), full_size=240)
    assert set(blind.pairs["decision"]) == {"undecided"}
    assert blind.pairs["low"].isna().all()
    assert list(blind.crossovers["kind"]) == ["undecided"]


def test_crossover_with_a_closed_form_is_found(simulate):
    evidence, truth = simulate.crossing_pair(3, rows=2000, tau=0.45)
    (found,) = judge(evidence, full_size=1600).crossovers.itertuples()
    assert found.kind == "bracket"
    assert found.low <= truth <= found.high


def test_what_a_race_has_stopped_makes_no_other_claim_easier(simulate):
    evidence = three(simulate, gap=0.05, sizes=(30, 240))
    loss = {cell: each for cell, each in evidence.loss.items() if cell not in {("mlp", 30), ("dummy", 240)}}
    left = replace(evidence, loss=loss, row_loss={cell: evidence.row_loss[cell] for cell in loss},
                   families=evidence.families | {"dummy": "trees"})
    raced, shrunk = (judge(left, full_size=240, skipped=[("dummy", 240)], stopped=stopped).pairs
                     for stopped in ([("dummy", 240)], []))
    wide, narrow = ((pairs["high"] - pairs["low"]).set_axis(pairs["size"]) for pairs in (raced, shrunk))
    assert wide[240] > 1.15 * narrow[240]  # one of the three planned pairs was run: a third of the error rate
    assert wide[30] == narrow[30]  # nothing was stopped there
    assert raced["difference"].equals(shrunk["difference"])
