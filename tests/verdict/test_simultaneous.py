import numpy as np
import pytest
from scipy.stats import norm, studentized_range
from scipy.stats import t as student

from tabbench.verdict.simultaneous import quantiles_of_families, simultaneous_quantiles

PAIRS = np.array([(first, second) for second in range(5) for first in range(second)]).T


def quantile(covariance, first=PAIRS[0], second=PAIRS[1], *, shared=1.0, degrees=1e6, alpha=0.05, seed=0):
    """The one quantile of contrasts that all have the same degrees of freedom."""
    (each,) = set(simultaneous_quantiles(covariance, first, second, shared=np.full(len(first), shared),
                                         degrees=np.full(len(first), float(degrees)), alpha=alpha, seed=seed))
    return each


def test_one_contrast_is_student():
    assert quantile(np.eye(2), np.array([0]), np.array([1]), degrees=7) == pytest.approx(student.ppf(0.975, 7), abs=1e-6)


def test_all_pairs_of_independent_means_are_near_tukey():
    tukey = studentized_range.ppf(0.95, 5, np.inf) / np.sqrt(2)
    assert quantile(np.eye(5)) == pytest.approx(tukey, abs=0.03)


def test_without_a_covariance_pairs_are_tukeys_and_unrelated_ones_sidaks():
    assert quantile(None) == pytest.approx(studentized_range.ppf(0.95, 5, np.inf) / np.sqrt(2), abs=0.03)
    assert quantile(None, np.arange(0, 20, 2), np.arange(1, 20, 2)) == pytest.approx(norm.ppf(0.5 + 0.5 * 0.95**0.1), abs=0.03)


def test_little_shared_luck_reaches_no_farther_than_cells_that_are_unrelated():
    tukey = studentized_range.ppf(0.95, 5, np.inf) / np.sqrt(2)
    for shared in (0.0, 0.5, 1.0):
        assert quantile(np.diag([1.0, 4.0, 0.25, 1.0, 9.0]), shared=shared) < tukey + 0.03


def test_few_degrees_of_freedom_and_less_sharing_widen():
    assert quantile(np.eye(5), degrees=4) > quantile(np.eye(5), degrees=20) > quantile(np.eye(5))
    correlated = np.full((5, 5), 0.0) + np.diag([1.0, 1e-6, 1e-6, 1e-6, 1e-6])
    first, second = np.zeros(4, dtype=int), np.arange(1, 5)
    assert quantile(correlated, first, second) < quantile(correlated, first, second, shared=0.1)


def test_same_seed_same_number_and_degenerate_cells_pass():
    assert quantile(np.eye(5), seed=3) == quantile(np.eye(5), seed=3)
    assert np.isfinite(quantile(np.zeros((5, 5))))
    assert np.isfinite(quantile(np.ones((5, 5))))


def test_a_contrast_of_few_degrees_widens_itself_and_hardly_the_others():
    degrees = np.full(len(PAIRS[0]), 40.0)
    alike = simultaneous_quantiles(np.eye(5), *PAIRS, shared=np.ones(10), degrees=degrees, alpha=0.05, seed=0)
    degrees[3] = 3.0
    wild = simultaneous_quantiles(np.eye(5), *PAIRS, shared=np.ones(10), degrees=degrees, alpha=0.05, seed=0)
    assert wild[3] > 1.8 * alike[3]
    assert np.allclose(np.delete(wild, 3), np.delete(alike, 3), rtol=0.03)


def test_intervals_of_different_degrees_hold_at_once():
    degrees, random = np.array([4.0, 9.0, 30.0]), np.random.default_rng(1)
    reach = simultaneous_quantiles(None, np.arange(0, 6, 2), np.arange(1, 6, 2), shared=np.zeros(3), degrees=degrees,
                                   alpha=0.05, seed=0)
    t = random.standard_normal((40_000, 3)) / np.sqrt(random.chisquare(degrees, (40_000, 3)) / degrees)
    missed = np.abs(t) > reach
    assert 0.03 < missed.any(axis=1).mean() < 0.055
    assert missed.mean(axis=0).max() < 2 * missed.mean(axis=0).min()


@pytest.mark.parametrize("sizes", [1, 3])
def test_differences_from_one_cell_of_little_luck_hold_at_once(sizes):
    # Everybody against a constant: a star in each of the sizes, whose hub hardly moves.
    hub = np.repeat(7 * np.arange(sizes), 6)
    reach = quantile(None, hub, hub + np.tile(np.arange(1, 7), sizes))
    assert reach == pytest.approx(norm.ppf(0.5 + 0.5 * 0.95 ** (1 / (6 * sizes))), abs=0.03)


def test_complete_families_are_narrower_than_stars_of_as_many():
    assert quantile(None) < quantile(None, np.zeros(10, dtype=int), np.arange(1, 11)) - 0.02


def test_families_of_the_same_draws_reach_as_far_as_each_by_itself():
    arguments = {"shared": np.full(10, 0.5), "degrees": np.linspace(5, 40, 10), "seed": 0}
    star, every, one = (PAIRS == 0).any(axis=0), np.ones(10, dtype=bool), np.arange(10) == 4
    families = [(star, 0.05), (every, 0.02), (one, 0.05), (~every, 0.05)]
    for (family, alpha), reach in zip(families, quantiles_of_families(np.eye(5), *PAIRS, families=families, **arguments),
                                      strict=True):
        assert np.array_equal(np.isnan(reach), ~family)
        if family.any():
            own = {name: each[family] if name != "seed" else each for name, each in arguments.items()}
            alone = simultaneous_quantiles(np.eye(5), *PAIRS[:, family], alpha=alpha, **own)
            assert reach[family] == pytest.approx(alone, rel=0.03)
