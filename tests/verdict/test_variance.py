from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabbench.verdict.variance import make_contrasts, row_moments, spread


def contrasts_of(evidence, pairs=((0, 1),)):
    cells = [(name, size) for size in evidence.sizes for name in evidence.present(size)]
    return make_contrasts(evidence, cells, row_moments(evidence, cells), pairs)


def two(simulate, seed=0, rows=60, repeats=2, size=20, **changes):
    random = np.random.default_rng(seed)
    shape = (5 * repeats, rows)
    return simulate.evidence_of(
        {("a", size): random.random(shape), ("b", size): random.random(shape)}, repeats=repeats, **changes
    )


def test_without_row_losses_it_is_nadeau_and_bengio(simulate):
    # Ten splits of sixty rows: 1/J is 1/10, not 1/60 and not 1/n.
    evidence = replace(two(simulate), row_loss={})
    difference = evidence.loss["a", 20] - evidence.loss["b", 20]
    errors = spread(evidence, contrasts_of(evidence))
    assert errors.standard_error == pytest.approx([np.sqrt((1 / 10 + 1 / 4) * np.var(difference, ddof=1))])
    assert errors.degrees == 9


@pytest.mark.parametrize(("size", "is_large"), [(20, False), (48, True)])
def test_two_components_by_hand(simulate, size, is_large):
    random = np.random.default_rng(0)
    lucky = random.random((10, 60)) + 0.2 * random.standard_normal((10, 1))
    evidence = simulate.evidence_of({("a", size): lucky, ("b", size): random.random((10, 60))}, repeats=2)
    row = evidence.row_loss["a", size] - evidence.row_loss["b", size]
    by_split = [row[evidence.split == each] for each in range(10)]
    means = np.array([each.mean() for each in by_split])
    within = np.mean([each.var(ddof=1) / len(each) for each in by_split])
    averaged = np.array([row[evidence.unit == each].mean() for each in range(60)])
    by_rows = averaged.var(ddof=1) / 60
    between = means.var(ddof=1)
    training = max(0.0, between - 10 / 9 * (within - by_rows))
    overlap = evidence.overlap[size]
    by_training = training * (1 / 10 + overlap / (1 - overlap))
    covariance = np.sqrt(by_training * by_rows) / 2  # at a correlation of one half
    variance = max(by_rows, between * (1 / 10 + 1 / 4)) if is_large else by_training + by_rows + 2 * covariance
    assert training > 0
    assert spread(evidence, contrasts_of(evidence)).standard_error == pytest.approx([np.sqrt(variance)])


def test_a_group_counts_as_one_unit(simulate):
    evidence = two(simulate, repeats=1)
    doubled = replace(
        evidence,
        split=np.repeat(evidence.split, 3),
        unit=np.repeat(evidence.unit, 3),
        row_loss={cell: np.repeat(each, 3) for cell, each in evidence.row_loss.items()},
    )
    assert spread(doubled, contrasts_of(doubled)).standard_error == pytest.approx(
        spread(evidence, contrasts_of(evidence)).standard_error
    )


def test_equal_weights_are_no_weights(simulate):
    evidence = two(simulate)
    weighted = replace(evidence, weight=np.full(len(evidence.split), 7.0))
    assert spread(weighted, contrasts_of(weighted)).standard_error == pytest.approx(
        spread(evidence, contrasts_of(evidence)).standard_error
    )


def test_single_split_knows_only_the_tested_rows(simulate):
    evidence = two(simulate, repeats=1)
    chosen = evidence.split == 0
    single = replace(
        evidence,
        split=evidence.split[chosen],
        unit=evidence.unit[chosen],
        loss={cell: each[:1] for cell, each in evidence.loss.items()},
        row_loss={cell: each[chosen] for cell, each in evidence.row_loss.items()},
        overlap={20: 0.0},
    )
    row = single.row_loss["a", 20] - single.row_loss["b", 20]
    errors = spread(single, contrasts_of(single))
    assert errors.standard_error == pytest.approx([row.std(ddof=1) / np.sqrt(12)])
    assert errors.degrees == 11
    blind = replace(single, row_loss={})
    assert np.isinf(spread(blind, contrasts_of(blind)).standard_error).all()


def test_groups_that_fill_a_split_leave_all_to_training_luck(simulate):
    evidence = two(simulate, repeats=1)
    grouped = replace(evidence, unit=evidence.split.copy())
    contrasts = contrasts_of(grouped)
    assert contrasts.between_by_rows == pytest.approx([0.0])
    errors = spread(grouped, contrasts)
    assert errors.degrees == 4
    assert errors.standard_error[0] > np.sqrt(contrasts.between[0] / 5)


def test_one_unit_says_nothing_by_rows(simulate):
    evidence = two(simulate)
    alone = replace(evidence, unit=np.zeros_like(evidence.unit))
    assert row_moments(alone, [("a", 20), ("b", 20)]) is None


def test_the_same_predictions_have_no_variance(simulate):
    loss = np.random.default_rng(0).random(60)
    evidence = simulate.evidence_of({("a", 20): loss, ("b", 20): loss, ("c", 20): loss**2})
    contrasts = contrasts_of(evidence, [(0, 1), (0, 2), (1, 2)])
    errors = spread(evidence, contrasts)
    assert errors.standard_error[0] == 0 == contrasts.difference[0]
    assert (errors.standard_error[1:] > 0).all()
    assert np.isfinite(errors.row_share).all()


def test_many_comparisons_give_more_degrees_of_freedom_than_few_splits(simulate):
    random = np.random.default_rng(1)
    evidence = simulate.evidence_of({(name, size): random.random((5, 300)) for name in "abcdef" for size in (30, 60, 120)})
    pairs = [(first + 6 * block, second + 6 * block) for block in range(3) for first in range(6) for second in range(first)]
    assert 8 < spread(evidence, contrasts_of(evidence, pairs)).degrees <= 16
    assert spread(evidence, contrasts_of(evidence, pairs[:1])).degrees == 4


def test_contrasts_that_differ_in_kind_are_hardly_drawn_together(simulate):
    # One approach whose training luck dwarfs everything: its pairs must keep their own variance.
    random = np.random.default_rng(2)
    calm = {(name, 60): random.random((15, 300)) for name in "abcde"}
    wild = random.random((15, 300)) + 0.5 * random.standard_normal((15, 1))
    evidence = simulate.evidence_of({**calm, ("wild", 60): wild}, repeats=3)
    pairs = [(first, second) for first in range(6) for second in range(first)]
    contrasts = contrasts_of(evidence, pairs)
    errors = spread(evidence, contrasts).standard_error
    is_wild = contrasts.first == 5
    own = np.sqrt(contrasts.between * (1 / 15 + 0.25))
    assert (errors[is_wild] > 0.6 * own[is_wild]).all()
    assert errors[~is_wild].max() < errors[is_wild].min() / 2


def test_variances_alone_agree_with_those_among_others(simulate):
    evidence = two(simulate)
    cells = [("a", 20), ("b", 20)]
    together, alone = row_moments(evidence, cells), row_moments(evidence, cells, are_compared=False)
    assert np.diag(alone.mean_of) == pytest.approx(np.diag(together.mean_of))
    assert np.diag(alone.split_of) == pytest.approx(np.diag(together.split_of))
    assert alone.mean_of[0, 1] == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), factor=st.floats(1e-3, 1e3))
def test_scaling_scales_and_row_order_is_irrelevant(simulate, seed, factor):
    evidence = two(simulate, seed)
    order = np.random.default_rng(seed).permutation(len(evidence.split))
    changed = replace(
        evidence,
        split=evidence.split[order],
        unit=evidence.unit[order],
        loss={cell: factor * each for cell, each in evidence.loss.items()},
        row_loss={cell: factor * each[order] for cell, each in evidence.row_loss.items()},
    )
    assert spread(changed, contrasts_of(changed)).standard_error == pytest.approx(
        factor * spread(evidence, contrasts_of(evidence)).standard_error
    )
