"""Copies that fill a test part: a few of them must not hide what every row shows, nor be taken for many rows."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.verdict.judge import judge
from tabbench.verdict.large_units import in_parts
from tabbench.verdict.outcome import Outcome
from tabbench.verdict.row_moments import row_moments

SIZE, COPIES, OTHERS = 6_000, 750, 1_000
UNIT = np.concatenate([np.repeat([0, 1], COPIES), np.arange(2, 2 + OTHERS)])
"""Two rows were copied until they make up 60 % of a test part; a thousand others are distinct."""


def of_one_split(simulate, **losses):
    """A single split whose rows belong to `UNIT` and lose so much."""
    drawn = simulate.evidence_of({(name, SIZE): np.zeros(2 * len(UNIT)) for name in losses}, folds=2, margin=0.01)
    return replace(drawn, split=np.zeros(len(UNIT), dtype=np.int64), unit=UNIT, overlap={SIZE: 0.0}, test_ratio=0.25,
                   loss={(name, SIZE): np.array([loss.mean()]) for name, loss in losses.items()},
                   row_loss={(name, SIZE): loss for name, loss in losses.items()},
                   imputed={(name, SIZE): np.zeros(1, dtype=bool) for name in losses})


def loss(first, second, others):
    return np.concatenate([np.repeat([first, second], COPIES), others])


def surprise(seed):
    return 0.2 + 0.4 * np.random.default_rng(seed).random(OTHERS)


def judged(simulate, **losses):
    return judge(of_one_split(simulate, **losses), full_size=SIZE)


def test_a_constant_that_loses_more_with_every_row_is_beaten(simulate):
    # As its large units lie far apart, two of them leave one degree of freedom.
    found = judged(simulate, dummy=loss(1.5, 4.0, surprise(0)), tree=loss(0.0, 0.0, 0.01 * surprise(1)),
                   net=loss(0.0, 0.0, 0.01 * surprise(2)))
    assert found.headline.outcome is not Outcome.CONSTANT
    over_constant = found.pairs[found.pairs["first"] == "dummy"]
    assert list(over_constant["decision"]) == ["second_materially"] * 2
    assert (over_constant["low"] < 0.4).all()  # what all other rows say is in the interval
    assert (over_constant["high"] > 4.0).all()  # and what the farthest large unit says


@pytest.mark.parametrize(("first", "second"), [(-1.5, 4.0), (1.5, -4.0)])
def test_where_a_large_unit_says_the_opposite_nothing_is_decided(simulate, first, second):
    found = judged(simulate, a=loss(2 + first, 5 + second, 1 + surprise(0)), b=loss(2.0, 5.0, 0.01 * surprise(1)))
    assert list(found.pairs["decision"]) == ["undecided"]


def test_large_units_that_lose_the_same_hide_no_difference(simulate):
    # As hits are counted: a constant is right with one of them, too.
    found = judged(simulate, dummy=loss(0.0, 1.0, np.arange(OTHERS) % 2), tree=loss(0.0, 0.0, np.arange(OTHERS) % 50 == 0))
    assert list(found.pairs["decision"]) == ["second_materially"]
    # All others differ by 0.48: by so much if the unit of which both are right is absent, by less if it is more frequent.
    assert found.pairs["low"].iloc[0] < 0.3 and found.pairs["high"].iloc[0] > 1.0


def test_where_only_the_large_units_differ_nothing_is_decided(simulate):
    found = judged(simulate, a=loss(1.5, 4.0, surprise(0)), b=loss(0.0, 0.0, surprise(1)))
    assert list(found.pairs["decision"]) == ["undecided"]


def test_the_whole_is_a_mean_of_its_parts(simulate):
    evidence = of_one_split(simulate, a=loss(1.5, 4.0, surprise(0)), b=loss(0.0, 0.0, 0.01 * surprise(1)))
    cells = [("a", SIZE), ("b", SIZE)]
    row_losses = [evidence.row_loss[cell] for cell in cells]
    found = in_parts(evidence, row_moments(evidence, cells), np.array([0]), np.array([1]),
                     np.array([np.mean(row_losses[0] - row_losses[1])]))
    difference = row_losses[0] - row_losses[1]
    rest = difference[UNIT > 1]
    assert found.below == pytest.approx([difference.mean() - rest.mean()])
    assert found.above == pytest.approx([4.0 - difference.mean()])
    assert found.by_rest == pytest.approx([rest.var(ddof=1) / OTHERS])
    assert found.degrees == pytest.approx([OTHERS - 1], rel=0.01)


def test_rows_of_their_own_have_no_parts(simulate):
    evidence = replace(of_one_split(simulate, a=loss(1, 4, surprise(0)), b=loss(0, 0, surprise(1))), unit=np.arange(len(UNIT)))
    assert in_parts(evidence, row_moments(evidence, [("a", SIZE), ("b", SIZE)]), np.array([0]), np.array([1]),
                    np.array([0.0])) is None


def test_few_rows_of_a_class_are_no_more_certain_in_parts(simulate):
    # Three rows of the class decide a balanced accuracy, however many copies of a row of the other class there are.
    evidence = of_one_split(simulate, a=loss(0.0, 0.0, np.arange(OTHERS) < 300), b=loss(0.0, 0.0, np.arange(OTHERS) < 10))
    whole = judge(evidence, full_size=SIZE).pairs.iloc[0]
    few = judge(replace(evidence, class_degrees=np.array([2.0]), class_step=np.array([0.3])), full_size=SIZE).pairs.iloc[0]
    assert whole["decision"] == "second_materially"
    assert few["decision"] == "undecided"


def test_large_units_without_weight_say_nothing(simulate):
    evidence = of_one_split(simulate, a=loss(1.5, 4.0, surprise(0)), b=loss(0.0, 0.0, surprise(1)))
    weighed = {cell: np.array([each[UNIT > 1].mean()]) for cell, each in evidence.row_loss.items()}
    weightless = judge(replace(evidence, loss=weighed, weight=np.where(UNIT > 1, 1.0, 0.0)), full_size=SIZE).pairs.iloc[0]
    assert np.isfinite([weightless["low"], weightless["high"]]).all()
    assert weightless["decision"] == "undecided"


def test_chances_agree_with_an_interval_that_reaches_far_to_one_side(simulate):
    found = judged(simulate, a=loss(0.5, 200.0, surprise(0) + 0.3), b=loss(0.0, 0.0, 0.01 * surprise(1))).pairs.iloc[0]
    assert found["decision"] == "second_materially"
    assert found["p_second"] > 0.8
    assert found["rows_to_settle"] == 0
