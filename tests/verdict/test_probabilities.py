import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.verdict.probabilities import correlated_t

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
