"""The calibration with the approaches that come with tabbench: what counts as false, and one run of it from table to counts."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from calibrate_approaches import TITLE, section, share, with_section
from calibration_few_splits import (
    APPROACHES,
    CASES,
    EFFORT,
    FULL,
    SERIES,
    SIZES,
    TEST_ROWS,
    Truths,
    as_given,
    contestants_of,
    fit_run,
    judge_run,
    of_pairs,
    of_sizes,
    of_winner,
    setup_of_run,
)

from tabbench.comparison.plan import plan_batches

LINE = next(series for series in SERIES if series.generator == "G3")
TWINS = SERIES[0]


def made_up_truths(sets, test_rows=TEST_ROWS, luck=0.0):
    """Approaches that lose independently of each other, with this luck of the training rows beside that of the tested ones."""
    random, count = np.random.default_rng(0), len(APPROACHES) + 1
    variance = 1 / test_rows + luck / FULL
    losses = np.arange(count)[:, None] + np.sqrt(variance) * random.standard_normal((sets, count, len(SIZES)))
    return Truths(losses, np.full((sets, count, count), 2.0))


def said(*rows):
    return pd.DataFrame(rows, columns=["first", "second", "size", "difference", "low", "high", "decision"])


EVIDENCE = SimpleNamespace(margin=0.1, imputed={})


@pytest.mark.parametrize(("decision", "true", "false"), [
    ("first", -0.05, ()), ("first", 0.05, ("claims", "runs")), ("first", 0.0, ("claims", "runs")),
    ("second_materially", 0.2, ()), ("second_materially", 0.05, ("material",)),
    ("second_materially", -0.2, ("claims", "material", "runs")), ("equal", 0.2, ("equal",)), ("equal", 0.05, ()),
    ("undecided", 0.2, ())])
def test_a_claim_is_false_unless_the_truth_is_on_its_side(decision, true, false):
    pairs = said(("a", "b", FULL, true, -1, 1, decision), ("dummy", "b", FULL, 1, 1, 1, "first"),
                 ("a", "b", SIZES[0], 1, 1, 1, "second"))
    found = of_pairs(pairs, EVIDENCE, {("a", FULL): true, ("b", FULL): 0.0})
    assert {name.removesuffix("_false") for name, count in found.items() if name.endswith("_false") and count} == set(false)
    assert found["intervals"] == 1 and found["runs_outside"] == 0


def test_an_interval_that_misses_the_truth_is_counted():
    found = of_pairs(said(("a", "b", FULL, 0.5, 0.2, 0.8, "second")), EVIDENCE, {("a", FULL): 0.1, ("b", FULL): 0.0})
    assert found["intervals_false"] == found["runs_outside"] == 1


@pytest.mark.parametrize(("decision", "best", "named", "false"), [
    ("winner", "a", 1, 0), ("winner", "b", 1, 1), ("top_set", "b", 0, 0)])
def test_winner(decision, best, named, false):
    winners = pd.DataFrame({"size": [62, FULL], "decision": ["winner", decision], "best": ["b", best]})
    truth = {("a", FULL): 0.0, ("b", FULL): 1.0, ("b", 62): -9.0}
    assert of_winner(winners, truth) == {"winners": named, "winners_false": false}


@pytest.mark.parametrize(("kind", "small", "false"), [("none", -1, 0), ("none", 1, 1), ("bracket", -1, 0), ("open", 1, 0)])
def test_what_is_said_over_sizes(kind, small, false):
    pairs = said(("a", "b", SIZES[0], -1, -2, -1, "first"), ("a", "b", FULL, 1 if kind == "bracket" else -1, 0, 0, "first"))
    truth = {("a", 62): small, ("b", 62): 0.0, ("a", FULL): 1 if kind == "bracket" else -1, ("b", FULL): 0.0}
    crossovers = pd.DataFrame({"first": ["a"], "second": ["b"], "kind": [kind]})
    found = of_sizes(SimpleNamespace(pairs=pairs, crossovers=crossovers), truth)
    assert sum(count for name, count in found.items() if name.endswith("_false")) == false


def test_the_error_of_a_share_takes_runs_as_independent():
    records = [{"claims": 4, "claims_false": 4}] + [{"claims": 4, "claims_false": 0}] * 3
    assert share(records, "claims_false", "claims") == (16, 4, 0.25, pytest.approx(np.sqrt(0.25 * 0.75 / 4)))


@pytest.mark.parametrize("luck", [0.0, 1.0])
def test_training_luck_is_what_test_rows_do_not_explain(luck):
    truths = made_up_truths(sets=4_000, luck=luck)
    assert truths.training_luck() == pytest.approx(np.full(10, luck), abs=0.15)
    assert truths.largest_error() == pytest.approx(np.sqrt(2 * (1 / TEST_ROWS + luck / FULL) / 4_000), rel=0.1)
    assert truths.expected()["linear", FULL] == pytest.approx(1, abs=0.01)


def test_fewer_splits_have_the_same_cells():
    setup, contestants = setup_of_run(LINE, 0), contestants_of(APPROACHES)
    whole, one = ({cell.key for batch in plan_batches(each, contestants, SIZES, effort=EFFORT, device="cpu")
                   for cell in batch.cells} for each in (setup, replace(setup, splits=setup.splits.first(1))))
    assert one < whole and len(whole) == 5 * len(one)


@pytest.mark.slow
def test_one_run_of_each_kind():
    found, truths = {}, made_up_truths(sets=2)
    for series in (TWINS, LINE):
        made = fit_run(series, 0)
        assert not any(np.isnan(each).any() for each in made.values())
        assert as_given(made["contest"][0, 0]).ndim == (1 if series.is_regression else 2)
        found[series] = truths, [judge_run(series, 0, made, truths.expected())]
    records = found[TWINS][1][0]
    assert len(records) == len(CASES) * (1 + 2 * 4)
    assert all(each["claims"] <= each["intervals"] and each["failed"] == 0 for each in records.values())
    assert not np.array_equal(made["contest"][0], made["contest"][1])
    text = section(found)
    assert text.startswith(f"\n{TITLE}\n") and text.count("| G1 |") == text.count("| G3 |") == len(CASES)


def test_the_section_takes_the_place_of_the_old_one():
    page = f"# Page\n\n## One\n\n1\n\n{TITLE}\n\nold\n\n## Two\n\n2\n"
    new = with_section(page, f"\n{TITLE}\n\nnew\n")
    assert new == f"# Page\n\n## One\n\n1\n\n{TITLE}\n\nnew\n\n## Two\n\n2\n"
    assert with_section("# Page\n\n1\n", f"\n{TITLE}\n\nnew\n") == f"# Page\n\n1\n\n{TITLE}\n\nnew\n"
