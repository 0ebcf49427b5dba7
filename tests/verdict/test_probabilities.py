import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.verdict.probabilities import correlated_t, shrunk_t

NUMBERS = st.floats(-5, 5, allow_nan=False)


@settings(deadline=None)
@given(difference=NUMBERS, error=st.floats(0, 3), degrees=st.floats(1, 100), margin=st.floats(0, 2))
def test_they_are_probabilities_and_turn_round_with_the_sign(difference, error, degrees, margin):
    first, equal, second = correlated_t(difference, error, degrees, margin)
    assert min(first, equal, second) >= 0
    assert float(first + equal + second) == pytest.approx(1)
    turned = correlated_t(-difference, error, degrees, margin)
    assert [float(each) for each in turned] == pytest.approx([float(second), float(equal), float(first)])


def test_a_larger_loss_of_the_first_speaks_for_the_second():
    first, equal, second = correlated_t(3.0, 1.0, 20.0, 0.5)
    assert second > 0.98
    assert max(first, equal) < 0.02


@pytest.mark.parametrize(("difference", "expected"), [
    (-0.2, (1, 0, 0)), (-0.1, (0, 1, 0)), (0.0, (0, 1, 0)), (0.1, (0, 1, 0)), (0.2, (0, 0, 1))])
def test_without_spread_all_is_certain_and_the_margin_itself_is_equal(difference, expected):
    assert tuple(float(each) for each in correlated_t(difference, 0.0, 4.0, 0.1)) == expected


def test_arrays_are_answered_one_by_one():
    difference, error = np.array([-1.0, 0.0, 2.0]), np.array([0.5, 0.0, 1.0])
    together = np.array(correlated_t(difference, error, 9.0, np.array([0.1, 0.0, 0.3])))
    apart = [correlated_t(*each) for each in zip(difference, error, [9.0] * 3, [0.1, 0.0, 0.3], strict=True)]
    assert np.array(apart, dtype=float) == pytest.approx(together.T)


@settings(deadline=None, max_examples=30)
@given(difference=NUMBERS, error=st.floats(1e-6, 3), degrees=st.floats(1, 100), margin=st.floats(1e-4, 2))
def test_shrunk_ones_are_probabilities_and_turn_round_with_the_sign(difference, error, degrees, margin):
    found = shrunk_t(np.array([difference, -difference]), np.full(2, error), np.full(2, degrees), margin)
    assert np.sum(found, axis=0) == pytest.approx([1, 1])
    assert [each[0] for each in found] == pytest.approx([each[1] for each in found[::-1]], abs=1e-9)


def test_what_is_large_by_luck_is_believed_less():
    difference, error, degrees = np.array([-1.5]), np.array([1.0]), np.array([30.0])
    assert shrunk_t(difference, error, degrees, 0.5)[0][0] < correlated_t(difference, 0.85 * error, degrees, 0.5)[0][0]


@pytest.mark.parametrize("degrees", [2.0, 10.0])
def test_a_lead_of_thousands_of_margins_is_believed_though_its_error_is_large(degrees):
    # A constant that loses 1.07 where the best loses 0.007: the margin, 3 % of that, says nothing of how far off it may be.
    better = shrunk_t(np.array([-1.07]), np.array([0.15]), np.array([degrees]), 0.0002)[0][0]
    assert better > 0.9


def test_without_error_a_difference_is_where_it_is():
    found = np.array(shrunk_t(np.array([-0.2, 0.05, 0.2, 0.0]), np.array([1e-9, 1e-9, 0.0, np.inf]), np.full(4, 5.0), 0.1))
    assert found[:, :3] == pytest.approx(np.eye(3))
    assert np.isnan(found[:, 3]).all()
