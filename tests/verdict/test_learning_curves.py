import numpy as np
import pytest

from tabbench.verdict.learning_curves import curve_draws, mmf4, pow4

SIZES = np.array([31.0, 62, 125, 250, 500, 1000])
TARGETS = np.array([2000.0, 4000])


def draws(family, loss, error=1e-4, *, least=0.0, count=400):
    covariance = error**2 * np.eye(len(loss))
    random = np.random.default_rng(0)
    noise = error * random.standard_normal((count, len(loss)))
    return curve_draws(family(SIZES[0]), SIZES[: len(loss)], loss, covariance, noise, TARGETS, least=least, random=random)


@pytest.mark.parametrize("family, curve", [
    (pow4, lambda n: 0.3 + 2.0 * n**-0.6),
    (pow4, lambda n: 1.0 * (n - 1) / (n - 21)),
    (mmf4, lambda n: 0.3 + 0.2 / (1 + (n / 300) ** 1.5)),
])
def test_a_curve_of_the_family_is_continued(family, curve):
    found = draws(family, curve(SIZES))
    rest = curve(SIZES[-1]) - curve(1e9)
    np.testing.assert_allclose(np.median(found, axis=0), curve(TARGETS), atol=0.8 * rest)
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    assert ((low <= curve(TARGETS)) & (curve(TARGETS) <= high)).all()


@pytest.mark.parametrize("family", [pow4, mmf4])
def test_more_error_leaves_more_possible(family):
    loss = 0.3 + 2.0 * SIZES**-0.6
    assert np.all(draws(family, loss, 0.03).std(axis=0) > 3 * draws(family, loss, 1e-3).std(axis=0))


@pytest.mark.parametrize("family", [pow4, mmf4])
def test_no_curve_rises_or_falls_below_the_least_loss(family):
    rising = draws(family, np.linspace(0.3, 0.6, 6), 0.01)
    assert np.ptp(np.median(rising, axis=0)) < 0.01
    falling = draws(family, np.linspace(0.5, 0.02, 6), 0.05)
    assert (falling >= 0).all()
    assert (draws(family, np.linspace(0.5, 0.02, 6), 0.05, least=-np.inf) < 0).any()
    assert (draws(family, np.linspace(-0.6, -0.9, 6), 0.01, least=-1.0) >= -1).all()


def test_the_unit_of_the_loss_does_not_matter():
    loss = 0.3 + 2.0 * SIZES**-0.6
    np.testing.assert_allclose(1e6 * draws(pow4, loss, 1e-3), draws(pow4, 1e6 * loss, 1e3), rtol=1e-9)
