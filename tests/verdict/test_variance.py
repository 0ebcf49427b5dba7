from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabbench.core.metric import METRICS
from tabbench.verdict.judge import judge
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.variance import LEAST_DEGREES, make_contrasts, spread


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


def only_the_first_split(evidence):
    chosen = evidence.split == 0
    return replace(evidence, split=evidence.split[chosen], unit=evidence.unit[chosen], overlap={20: 0.0}, repeats=1,
                   loss={cell: each[:1] for cell, each in evidence.loss.items()},
                   row_loss={cell: each[chosen] for cell, each in evidence.row_loss.items()})


def test_of_a_single_split_forward_in_time_nothing_is_said(simulate):
    single = only_the_first_split(two(simulate, repeats=1))
    assert np.isfinite(spread(single, contrasts_of(single)).standard_error).all()
    in_time = replace(single, split_kind="ordered")
    assert np.isinf(spread(in_time, contrasts_of(in_time)).standard_error).all()


def luck(simulate, size, training, splits=15, rows=300, seed=0):
    """How much wider an interval is than tested rows alone make it, with training luck of this standard deviation."""
    random = np.random.default_rng(seed)
    lucky = random.random((splits, rows)) + training * random.standard_normal((splits, 1))
    evidence = simulate.evidence_of({("a", size): lucky, ("b", size): random.random((splits, rows))}, repeats=splits // 5)
    contrasts = contrasts_of(evidence)
    return spread(evidence, contrasts).standard_error[0] / np.sqrt(contrasts.mean_by_rows[0])


@pytest.mark.parametrize("size", [30, 60, 120, 240])
def test_an_interval_is_wider_than_tested_rows_make_it_and_the_more_so_with_training_luck(simulate, size):
    widths = [luck(simulate, size, training) for training in (0.0, 0.1, 0.3, 3.0)]
    assert widths[0] > 1.1
    assert widths == sorted(widths)


def test_large_training_luck_is_believed_to_be_as_large_as_it_shows(simulate):
    # Splits of 30 of 300 rows share a tenth: their mean is off by 1/15 of the luck's variance, and by 1/9 that all share.
    random = np.random.default_rng(3)
    evidence = simulate.evidence_of({("a", 30): random.random((15, 300)) + 3 * random.standard_normal((15, 1)),
                                     ("b", 30): random.random((15, 300))}, repeats=3)
    contrasts, overlap = contrasts_of(evidence), evidence.overlap[30]
    expected = np.sqrt(contrasts.between[0] * (1 / 15 + overlap / (1 - overlap)))
    assert spread(evidence, contrasts).standard_error[0] == pytest.approx(expected, rel=0.1)


def test_what_luck_counts_at_one_size_is_passed_on_to_the_next(simulate):
    random = np.random.default_rng(4)
    calm = {(name, 240): random.random((15, 300)) for name in "ab"}
    quiet = {(name, 60): random.random((15, 300)) for name in "ab"}
    wild = {(name, 60): random.random((15, 300)) + 0.4 * random.standard_normal((15, 1)) for name in "ab"}
    after_quiet, after_wild = (spread(each, contrasts_of(each, [(0, 1), (2, 3)])).standard_error[1]
                               for each in (simulate.evidence_of({**before, **calm}, repeats=3) for before in (quiet, wild)))
    assert after_wild > 1.1 * after_quiet


def test_metrics_that_count_steps_share_more_luck(simulate):
    evidence = two(simulate)
    shared = replace(evidence, metric=replace(evidence.metric, shared_luck=0.6))
    assert spread(shared, contrasts_of(shared)).standard_error > spread(evidence, contrasts_of(evidence)).standard_error


def test_splits_forward_in_time_are_units_of_their_own(simulate):
    evidence = replace(two(simulate), split_kind="ordered")
    difference = evidence.loss["a", 20] - evidence.loss["b", 20]
    errors = spread(evidence, contrasts_of(evidence))
    assert errors.standard_error == pytest.approx([np.sqrt((1 / 10 + 1 / 4) * np.var(difference, ddof=1))])
    assert errors.degrees == 9


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


def test_single_split_takes_the_luck_of_its_training_rows_to_be_usual(simulate):
    single = only_the_first_split(two(simulate, repeats=1))
    row = single.row_loss["a", 20] - single.row_loss["b", 20]
    errors = spread(single, contrasts_of(single))
    tested = row.std(ddof=1) / np.sqrt(12)
    assert tested < errors.standard_error[0] < 2 * tested
    assert 1 < errors.degrees < 11
    few_trained = replace(single, row_loss={(name, 5): each for (name, _), each in single.row_loss.items()}, sizes=(5,),
                          loss={(name, 5): each for (name, _), each in single.loss.items()}, overlap={5: 0.0})
    assert spread(few_trained, contrasts_of(few_trained)).standard_error > errors.standard_error
    blind = replace(single, row_loss={})
    assert np.isinf(spread(blind, contrasts_of(blind)).standard_error).all()


def test_a_class_of_few_rows_leaves_few_degrees_of_freedom(simulate):
    evidence = two(simulate)
    few, none = (replace(evidence, class_degrees=np.full(10, each), class_step=np.full(10, 0.1)) for each in (0.6, 0.1))
    assert spread(few, contrasts_of(few)).degrees[0] < 3.01  # two repeats of five splits: three degrees in all
    assert spread(evidence, contrasts_of(evidence)).degrees[0] > 5
    assert spread(few, contrasts_of(few)).standard_error == spread(evidence, contrasts_of(evidence)).standard_error
    assert np.isinf(spread(none, contrasts_of(none)).standard_error).all()


def test_few_groups_are_few_degrees_of_freedom_whatever_their_classes_say(simulate):
    evidence = two(simulate, repeats=1)
    grouped = replace(evidence, unit=evidence.unit % 3, class_degrees=np.full(5, 10.0), class_step=np.full(5, 0.1))
    assert spread(grouped, contrasts_of(grouped)).degrees[0] <= 2


def test_rows_of_a_class_that_agree_are_no_certainty(simulate):
    evidence = two(simulate, repeats=1)
    same = replace(evidence, row_loss={("a", 20): np.full(60, 0.5), ("b", 20): np.full(60, 0.6)},
                   loss={("a", 20): np.full(5, 0.5), ("b", 20): np.full(5, 0.6)}, class_degrees=np.full(5, 5.0),
                   class_step=np.full(5, 0.5), metric=replace(evidence.metric, step=1.0))
    assert spread(same, contrasts_of(same)).standard_error[0] >= 0.1  # one of ten rows, two in each split


def test_groups_that_fill_a_split_are_few_units(simulate):
    evidence = two(simulate, repeats=1)
    grouped = replace(evidence, unit=evidence.split.copy())
    contrasts = contrasts_of(grouped)
    assert contrasts.between_by_rows == pytest.approx([0.0])
    errors = spread(grouped, contrasts)
    assert errors.degrees <= 4
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


@pytest.mark.parametrize(("rows", "decision"), [(50, "undecided"), (500, "equal")])
def test_hits_that_all_agree_are_no_certainty(simulate, rows, decision):
    hits = -np.random.default_rng(0).integers(0, 2, rows).astype(float)
    full = int(0.8 * rows)
    evidence = simulate.evidence_of({("a", full): hits, ("b", full): hits}, metric=METRICS.get("accuracy"), margin=0.01)
    assert judge(evidence, full_size=full).pairs["decision"].tolist() == [decision]


def test_forward_in_time_the_tested_rows_are_the_least(simulate):
    # Cuts that happen to differ alike show no spread between them, but the rows within them do.
    random, evidence = np.random.default_rng(0), two(simulate, repeats=1, split_kind="ordered")
    row = random.random(len(evidence.split))
    row -= (np.bincount(evidence.split, weights=row) / np.bincount(evidence.split))[evidence.split]
    alike = replace(evidence, row_loss={("a", 20): row, ("b", 20): 0 * row}, loss=dict.fromkeys(evidence.loss, np.zeros(5)))
    contrasts = contrasts_of(alike)
    assert contrasts.between == 0
    assert spread(alike, contrasts).standard_error == pytest.approx(np.sqrt(contrasts.mean_by_rows))


def test_one_wild_row_takes_away_nobody_elses_certainty(simulate):
    random = np.random.default_rng(5)
    losses = {(name, 60): random.random(300) for name in "abc"}
    wild = losses["c", 60].copy()
    wild[7] += 40.0
    calm, odd = (simulate.evidence_of(losses | {("c", 60): each}) for each in (losses["c", 60], wild))
    pairs = [(0, 1), (0, 2), (1, 2)]
    degrees = spread(odd, contrasts_of(odd, pairs)).degrees
    assert degrees[1:].tolist() == [LEAST_DEGREES] * 2
    assert degrees[0] == pytest.approx(spread(calm, contrasts_of(calm, pairs)).degrees[0], rel=0.1)


def test_few_splits_leave_fewer_degrees_of_freedom(simulate):
    random = np.random.default_rng(1)
    few, many = (simulate.evidence_of({(name, 30): random.random((5 * repeats, 300)) for name in "ab"}, repeats=repeats)
                 for repeats in (1, 6))
    assert 4 < spread(few, contrasts_of(few)).degrees < spread(many, contrasts_of(many)).degrees < 299


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


@pytest.mark.parametrize("shared", [0, 3, 40])
def test_covariances_are_those_of_sums_by_unit_however_many_rows_share_one(simulate, shared):
    random = np.random.default_rng(2)
    evidence = simulate.evidence_of({(name, size): random.random((5, 100)) for name in "ab" for size in (20, 40)})
    evidence = replace(evidence, unit=np.where(evidence.unit < shared, evidence.unit // 2, evidence.unit))
    cells = [(name, size) for size in (20, 40) for name in "ab"]
    moments = row_moments(evidence, cells, spans_sizes=True)
    units = len(np.unique(evidence.unit))
    sums = np.array([[(loss := evidence.row_loss[cell] - evidence.loss[cell].mean())[evidence.unit == unit].sum() / loss.size
                      for unit in np.unique(evidence.unit)] for cell in cells])
    covariance = sums @ sums.T * units / (units - 1)
    assert moments.mean_of == pytest.approx(covariance) and moments.of_all == pytest.approx(covariance)
    within = row_moments(evidence, cells).mean_of
    assert within[:2, :2] == pytest.approx(covariance[:2, :2]) and not within[:2, 2:].any()


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


def of_a_test_file(simulate, seeds=0.0, sizes=(60, 240), luck=0.0):
    """Five trainings, one test file of a hundred rows: seeds and training rows move the mean difference."""
    random = np.random.default_rng(6)
    rows = random.random(100)
    losses = {}
    for size in sizes:
        moved = seeds * random.standard_normal((5, 1)) + (luck * random.standard_normal((5, 1)) if size < 240 else 0.0)
        losses |= {("a", size): np.tile(rows, (5, 1)) + moved, ("b", size): np.tile(random.random(100), (5, 1))}
    whole = simulate.evidence_of({cell: each[0] for cell, each in losses.items()}, folds=5)
    return replace(whole, split_kind="test", folds=1, repeats=5, split=np.repeat(np.arange(5), 100),
                   unit=np.tile(np.arange(100), 5), loss={cell: each.mean(axis=1) for cell, each in losses.items()},
                   row_loss={cell: each.ravel() for cell, each in losses.items()},
                   overlap={60: 0.25, 240: 0.95})


def test_the_luck_of_seeds_is_averaged_over_trainings_on_a_test_file(simulate):
    calm, seeds = (of_a_test_file(simulate, seeds, sizes=(240,)) for seeds in (0.0, 0.2))
    without, with_seeds = (spread(each, contrasts_of(each)).standard_error[0] ** 2 for each in (calm, seeds))
    between = np.var(seeds.loss["a", 240] - seeds.loss["b", 240], ddof=1)
    assert with_seeds - without == pytest.approx(between / 5, rel=0.01)


def test_the_luck_of_training_rows_shows_at_smaller_sizes_of_a_training_file(simulate):
    calm, lucky = (of_a_test_file(simulate, luck=luck) for luck in (0.0, 0.3))
    without, with_luck = (spread(each, contrasts_of(each, [(0, 1), (2, 3)])).standard_error[1] for each in (calm, lucky))
    assert with_luck > 1.1 * without
