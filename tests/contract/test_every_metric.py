"""What every registered metric must keep: its sign, its rows, its weights, its inputs untouched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.metric import METRICS

CASES = [(metric, kind) for metric in METRICS for kind in metric.tasks]
every_metric = pytest.mark.parametrize(("metric", "kind"), CASES, ids=[f"{metric.name}-{kind}" for metric, kind in CASES])
# The calibration error has no row losses: its debiasing counts rows, which copies are not.
of_rows = [case for case in CASES if case[0].row_loss is not None]
every_metric_of_rows = pytest.mark.parametrize(("metric", "kind"), of_rows,
                                               ids=[f"{metric.name}-{kind}" for metric, kind in of_rows])
quick = settings(max_examples=25, deadline=None)


def example(kind, rows, seed, skill=1.0):
    """Truth, predictions that know something of it, weights."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 4, size=rows).astype(float)
    if kind == "regression":
        truth = 5.0 + rng.normal(size=rows)  # above 0, as some metrics want it
        return truth, 5.0 + skill * (truth - 5.0) + rng.normal(size=rows), weight
    n_classes = 2 if kind == "binary" else 7
    truth = np.append(np.arange(n_classes), rng.integers(0, n_classes, size=rows - n_classes))
    odds = np.exp(rng.normal(size=(rows, n_classes)) + skill * np.eye(n_classes)[truth])
    return truth, odds / odds.sum(axis=1, keepdims=True), weight


@every_metric
@quick
@given(rows=st.integers(8, 80), seed=st.integers(0, 10**6), is_weighted=st.booleans())
def test_the_mean_row_loss_is_the_loss(metric, kind, rows, seed, is_weighted):
    truth, prediction, weight = example(kind, rows, seed)
    weight = weight if is_weighted else None
    value = metric.score(truth, prediction, weight)
    assert isinstance(value, float) and metric.bounds[0] <= value <= metric.bounds[1] and np.isfinite(value)
    if metric.row_loss is not None:
        row_losses = metric.row_loss(truth, prediction, weight)
        assert row_losses.shape == (rows,) and row_losses.dtype == np.float64
        assert np.average(row_losses, weights=weight) == pytest.approx(metric.loss(value), abs=1e-9)
        score, at_once = metric.score_and_rows(truth, prediction, weight)
        assert score == value and np.array_equal(at_once, row_losses)


@every_metric
@quick
@given(rows=st.integers(8, 60), seed=st.integers(0, 10**6))
def test_order_of_rows_does_not_matter_and_nothing_is_changed(metric, kind, rows, seed):
    truth, prediction, weight = example(kind, rows, seed)
    before = [each.copy() for each in (truth, prediction, weight)]
    value = metric.score(truth, prediction, weight)
    if metric.row_loss is not None:
        metric.row_loss(truth, prediction, weight)
    assert all(np.array_equal(one, two) for one, two in zip(before, (truth, prediction, weight), strict=True))
    order = np.random.default_rng(seed).permutation(rows)
    assert metric.score(truth[order], prediction[order], weight[order]) == pytest.approx(value, abs=1e-9)


@every_metric
@quick
@given(rows=st.integers(8, 60), seed=st.integers(0, 10**6))
def test_equal_weights_change_nothing(metric, kind, rows, seed):
    truth, prediction, _ = example(kind, rows, seed)
    even = np.full(rows, 2.5)
    assert metric.score(truth, prediction, even) == pytest.approx(metric.score(truth, prediction, None), abs=1e-9)
    if metric.row_loss is not None:
        assert metric.row_loss(truth, prediction, even) == pytest.approx(metric.row_loss(truth, prediction, None), abs=1e-9)


@every_metric_of_rows
def test_a_whole_weight_is_as_good_as_copies(metric, kind):
    truth, prediction, weight = example(kind, 60, 3)
    copies = np.repeat(np.arange(60), weight.astype(int))
    expected = metric.score(truth[copies], prediction[copies], None)
    assert metric.score(truth, prediction, weight) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("metric", "kind"), [case for case in CASES if case[0].rewards_knowledge],
                         ids=lambda part: getattr(part, "name", part))
def test_better_predictions_have_lower_loss(metric, kind):
    losses = [metric.loss(metric.score(*example(kind, 2_000, 0, skill=skill))) for skill in (0.0, 0.5, 1.0)]
    assert losses[0] > losses[1] > losses[2]


@every_metric
def test_the_better_bound_is_the_perfect_score(metric, kind):
    truth, _, _ = example(kind, 200, 0)
    perfect = truth if kind == "regression" else np.eye(int(truth.max()) + 1)[truth]
    assert metric.score(truth, perfect, None) == pytest.approx(metric.bounds[metric.higher_is_better], abs=1e-9)


@every_metric
def test_the_best_constant_is_the_best(metric, kind):
    if kind != "regression":
        assert metric.best_constant == "mean"
        return
    truth = np.random.default_rng(0).exponential(size=301)
    losses = {name: metric.loss(metric.score(truth, np.full(301, getattr(np, name)(truth)), None)) for name in ("mean", "median")}
    assert min(losses, key=losses.get) == metric.best_constant


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_places_and_words_are_unique(kind):
    metrics = [metric for metric in METRICS if kind in metric.tasks]
    places = [metric.place for metric in metrics if metric.place is not None]
    assert len(set(places)) == len(places) and len({metric.words for metric in metrics}) == len(metrics)
    assert all(metric.words.isprintable() and "_" not in metric.words for metric in metrics)
