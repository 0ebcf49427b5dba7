import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabbench.verdict.across.signed_ranks import (
    holm,
    region_masses,
    signed_rank_chance,
    signed_rank_probabilities,
    typical_difference,
)

DIFFERENCES = arrays(float, st.integers(1, 9), elements=st.integers(-6, 6).map(lambda each: each / 2))


def test_no_difference_anywhere_is_no_surprise_and_practically_equal():
    nothing = np.zeros(8)
    assert signed_rank_chance(nothing) == 1
    assert typical_difference(nothing) == 0
    assert signed_rank_probabilities(nothing, 1.0, 0) == (0, 1, 0)
    assert signed_rank_probabilities(nothing, 0.0, 0) == (0.5, 0, 0.5)  # without a margin nothing is equal


@settings(deadline=None, max_examples=20)
@given(DIFFERENCES)
def test_turning_the_sign_turns_the_answer(difference):
    assert signed_rank_chance(-difference) == pytest.approx(signed_rank_chance(difference))
    assert typical_difference(-difference) == pytest.approx(-typical_difference(difference))
    weights = np.random.default_rng(0).dirichlet(np.ones(len(difference) + 1), 20)
    turned = region_masses(-difference, weights, 0.5)
    assert turned == pytest.approx(region_masses(difference, weights, 0.5)[:, ::-1], abs=1e-12)


@settings(deadline=None)
@given(DIFFERENCES, st.sampled_from([0.0, 0.25, 1.0]))
def test_masses_are_the_sum_over_all_pairs(difference, margin):
    weights = np.random.default_rng(1).dirichlet(np.ones(len(difference) + 1), 3)
    values = np.r_[0.0, difference]
    mean = (values[:, None] + values) / 2
    above = (mean > margin) + 0.5 * (mean == margin)
    below = (mean < -margin) + 0.5 * (mean == -margin)
    slow = [[each @ below @ each, 1 - each @ below @ each - each @ above @ each, each @ above @ each] for each in weights]
    assert region_masses(difference, weights, margin) == pytest.approx(np.array(slow), abs=1e-12)


def test_a_consistent_lead_is_the_more_surprising_the_more_tables_show_it():
    chances = [signed_rank_chance(np.arange(1.0, 1 + count)) for count in (3, 6, 10)]
    assert chances == pytest.approx([2 / 2**3, 2 / 2**6, 2 / 2**10])


def test_a_positive_difference_speaks_for_the_second():
    first, equal, second = signed_rank_probabilities(np.linspace(2, 4, 10), 1.0, 0)
    assert second > 0.99
    assert first + equal == pytest.approx(1 - second)


def test_holm_of_nothing_is_nothing():
    assert holm(np.empty(0)).tolist() == []
