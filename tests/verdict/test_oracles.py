"""Our statistics beside other people's: baycomp, scikit-posthocs and statsmodels, on random inputs."""

from __future__ import annotations

from dataclasses import replace

import baycomp
import numpy as np
import pytest
import scikit_posthocs
import statsmodels.api as statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tabbench.verdict.across import signed_ranks
from tabbench.verdict.across.decision import Standpoint, compare_pairs
from tabbench.verdict.across.descriptions import bradley_terry
from tabbench.verdict.across.losses import TableLosses, is_ahead
from tabbench.verdict.probabilities import correlated_t
from tabbench.verdict.variance import make_contrasts, spread

EXACT = {"rel": 1e-9, "abs": 1e-9}
SEEDS = range(8)


def losses_of(loss):
    """T tables, each a source of its own with one split, from losses (T, k) in margins."""
    tables, count = loss.shape
    names = np.array([f"table {each}" for each in range(tables)], dtype=object)
    return TableLosses(
        approaches=tuple("abcdefgh"[:count]), absent=(), left_out=(), tables=names, sources=names,
        metrics=np.full(tables, "log_loss", dtype=object), size=np.full(tables, 100), largest=np.full(tables, 100), loss=loss,
        error=np.abs(loss), imputed=np.zeros(loss.shape), ahead=is_ahead(loss))


@pytest.mark.parametrize("seed", SEEDS)
def test_holm_is_statsmodels(seed):
    random = np.random.default_rng(seed)
    chances = random.beta(0.3, 2, random.integers(1, 30))
    if seed % 2:
        chances = np.round(chances, 2)  # ties
    assert signed_ranks.holm(chances) == pytest.approx(multipletests(chances, method="holm")[1], **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_wilcoxon_with_holm_is_scikit_posthocs(seed):
    random = np.random.default_rng(seed)
    tables, count = random.integers(5, 51), random.integers(2, 6)  # beyond, scipy's test is approximate and ours exact
    loss = random.gamma(2, 10, (tables, 1)) + random.standard_t(3, (tables, count)) + np.linspace(0, 1, count)
    pairs = compare_pairs(losses_of(loss), Standpoint())
    oracle = scikit_posthocs.posthoc_wilcoxon(loss.T, p_adjust="holm").to_numpy()
    assert pairs["chance_all_pairs"].to_numpy() == pytest.approx(oracle[np.triu_indices(count, 1)], **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_wilcoxon_with_ties_and_zeros_is_exact_where_scipy_counts_all_signs(seed):
    random = np.random.default_rng(seed)
    difference = random.integers(-3, 5, random.integers(4, 13)).astype(float)
    differing = difference[difference != 0]
    ranks = stats.rankdata(np.abs(differing))
    seen = abs(np.sum(np.sign(differing) * ranks))
    signs = 1 - 2 * ((np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks))) & 1)
    assert signed_ranks.signed_rank_chance(difference) == pytest.approx(np.mean(np.abs(signs @ ranks) >= seen - 1e-9), **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_typical_difference_is_what_the_signed_rank_test_balances(seed):
    # No closed form elsewhere: at its estimate, Wilcoxon's statistic is as close to its middle as it gets.
    difference = np.random.default_rng(seed).standard_t(3, 25)
    centred = difference - signed_ranks.typical_difference(difference)
    assert stats.wilcoxon(centred).pvalue > 0.97


def scores_of(seed, folds, runs):
    random = np.random.default_rng(seed)
    shift = random.normal(0, 0.02)
    return random.normal(0.3, 0.05, folds * runs), random.normal(0.3 + shift, 0.05, folds * runs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("folds", "runs"), [(5, 1), (10, 3)])
def test_correlated_t_is_baycomp(seed, folds, runs):
    first, second = scores_of(seed, folds, runs)
    # baycomp takes scores, y - x; a loss turned round is a score, and left is then where the first is better.
    expected = baycomp.two_on_single(-first, -second, rope=0.01, runs=runs)
    difference = first - second
    error = np.sqrt(np.var(difference, ddof=1) * (1 / len(difference) + 1 / (folds - 1)))
    found = correlated_t(difference.mean(), error, len(difference) - 1, 0.01)
    assert [float(each) for each in found] == pytest.approx(expected, **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_corrected_resampled_t_is_baycomps_statistic(simulate, seed):
    # Six splits of ninety rows, so that 1/J is not 1/N; the posterior's spread is the test's standard error.
    random = np.random.default_rng(seed)
    evidence = simulate.evidence_of(
        {(name, 60): random.gamma(2, 1, (6, 90)) for name in ("first", "second")}, folds=3, repeats=2)
    evidence = replace(evidence, row_loss={})
    errors = spread(evidence, make_contrasts(evidence, [("first", 60), ("second", 60)], None, [(0, 1)]))
    first, second = (evidence.loss[name, 60] for name in ("first", "second"))
    mean, variance, degrees = baycomp.CorrelatedTTest.compute_statistics(second, first, runs=2)
    statistic = (first - second).mean() / errors.standard_error[0]
    chance = 2 * stats.t.sf(abs(statistic), errors.degrees)
    assert statistic == pytest.approx(mean / np.sqrt(variance), **EXACT)
    assert chance == pytest.approx(2 * stats.t.sf(abs(mean) / np.sqrt(variance), degrees), **EXACT)


def test_nadeau_and_bengio_divide_by_the_splits_and_not_by_the_rows(simulate):
    # A published example had as many rows as splits and hid the mistake; here there are 10 splits of 40 rows.
    random = np.random.default_rng(0)
    evidence = replace(simulate.evidence_of({(name, 32): random.random((10, 40)) for name in ("a", "b")}, repeats=2), row_loss={})
    errors = spread(evidence, make_contrasts(evidence, [("a", 32), ("b", 32)], None, [(0, 1)]))
    between = np.var(evidence.loss["a", 32] - evidence.loss["b", 32], ddof=1)
    assert errors.standard_error[0] ** 2 / between == pytest.approx(1 / 10 + 1 / 4, **EXACT)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("margin", [0.0, 0.7])
def test_signed_rank_masses_are_baycomps_on_its_own_draws(seed, margin):
    random = np.random.default_rng(seed)
    first, second = random.normal(0, 1, (2, random.integers(3, 25)))
    oracle = baycomp.SignedRankTest.sample(-first, -second, rope=margin, nsamples=300, random_state=seed)
    prior = np.r_[0.5, np.ones(len(first))]
    weights = np.random.RandomState(seed).dirichlet(prior, 300)
    assert signed_ranks.region_masses(first - second, weights, margin) == pytest.approx(oracle, **EXACT)


@pytest.mark.parametrize("seed", range(4))
def test_signed_rank_probabilities_are_baycomps_but_for_the_draws(seed):
    random = np.random.default_rng(seed)
    first, second = random.normal(0, 1, 12), random.normal(0.4, 1, 12)
    oracle = baycomp.SignedRankTest.probs(-first, -second, rope=0.3, nsamples=20_000, random_state=seed)
    found = signed_ranks.signed_rank_probabilities(first - second, 0.3, seed)
    assert found == pytest.approx(oracle, abs=0.025)  # five standard errors of the difference of two draws
    assert signed_ranks.PRIOR_STRENGTH == 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_elo_is_a_logistic_regression_without_intercept(seed):
    random = np.random.default_rng(seed)
    count = random.integers(2, 6)
    wins = random.gamma(1, 3, (count, count)) * (1 - np.eye(count))
    wins[0, 1] = 0.0
    pairs = [(one, other) for one in range(count) for other in range(count) if one != other]
    design = np.zeros((2 * len(pairs), count - 1))
    for place, (one, other) in enumerate(pairs):
        row = np.zeros(count)
        row[one], row[other] = 1, -1
        design[place], design[len(pairs) + place] = row[1:], -row[1:]
    weight = np.array([wins[pair] + 1 / count for pair in pairs])  # the drawn battles are data like any other
    won = np.r_[np.ones(len(pairs)), np.zeros(len(pairs))]
    model = statsmodels.GLM(won, design, family=statsmodels.families.Binomial(), freq_weights=np.r_[weight, weight])
    strength = np.r_[0.0, model.fit(tol=1e-14, maxiter=200).params]
    assert bradley_terry(wins) == pytest.approx(1000 + 400 / np.log(10) * (strength - strength.mean()), **EXACT)
