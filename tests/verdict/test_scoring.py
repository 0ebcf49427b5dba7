import numpy as np
import pytest

from tabbench.core.errors import BadOption
from tabbench.core.metric import METRICS, Metric
from tabbench.core.task import Task
from tabbench.verdict.scoring import Question, constant_loss, constant_prediction, margin_value, score_cell

THREE = Task("multiclass", ("a", "b", "c"), "m", ("m",))


def test_class_that_does_not_occur_gets_the_floor():
    shares = constant_prediction(THREE, "log_loss", np.array([0, 0, 0, 1]), None)
    assert shares == pytest.approx(np.array([3 / 4, 1 / 4, 1 / 7]) / (1 + 1 / 7))


def test_class_shares_are_weighted():
    assert constant_prediction(THREE, "log_loss", np.array([0, 1, 2]), np.array([2.0, 1.0, 1.0])) == pytest.approx(
        [0.5, 0.25, 0.25]
    )


@pytest.mark.parametrize(
    ("metric", "weight", "expected"),
    [
        ("rmse", None, 4.0),
        ("mae", None, 2.0),
        ("rmse", [1.0, 1.0, 0.0], 1.5),
        ("mae", [1.0, 1.0, 0.0], 1.5),
        ("mae", [1.0, 1.0, 9.0], 9.0),
    ],
)
def test_constant_number_is_the_mean_or_for_mae_the_median(simulate, metric, weight, expected):
    weights = None if weight is None else np.array(weight)
    assert constant_prediction(simulate.task, metric, np.array([1.0, 2.0, 9.0]), weights) == pytest.approx([expected])


def test_failed_cell_is_scored_as_the_constant_of_its_own_prefix(simulate):
    target = np.arange(20.0)
    plan = simulate.random_folds(20, 4, 1, 0)
    question = Question(simulate.task, target, plan)
    failing = score_cell(
        question, simulate.metric, lambda name, size, index: None if index == 2 else target[plan.splits[index].test], "a", 6
    )
    split = plan.splits[2]
    assert failing.imputed.tolist() == [False, False, True, False]
    assert failing.score == pytest.approx([0, 0, np.mean((target[split.test] - target[split.train[:6]].mean()) ** 2), 0])
    assert failing.rows[2].mean() == pytest.approx(failing.score[2])


def test_weights_of_nought(simulate):
    # A prefix without weight is answered as if all weighed alike; a test part without weight says nothing.
    target, weight = np.arange(20.0), np.ones(20)
    plan = simulate.random_folds(20, 4, 1, 0)
    weight[plan.splits[0].train[:6]] = 0
    weight[plan.splits[1].test] = 0
    scores = score_cell(Question(simulate.task, target, plan, weight), simulate.metric, lambda *_: None, "a", 6)
    assert np.isnan(scores.score).tolist() == [False, True, False, False]
    assert scores.imputed.tolist() == [True, False, True, True]
    truth, weights = target[plan.splits[0].test], weight[plan.splits[0].test]
    expected = np.average((truth - target[plan.splits[0].train[:6]].mean()) ** 2, weights=weights)
    assert scores.score[0] == pytest.approx(expected)
    assert [len(rows) for rows in scores.rows] == [5] * 4


def test_score_that_overflows_is_a_failure(simulate):
    metric = Metric(
        "cost",
        ("regression",),
        higher_is_better=False,
        score=lambda truth, prediction, weight: float("inf") if (prediction > 99).any() else 1.0,
        row_loss=None,
    )
    question = Question(simulate.task, np.zeros(20), simulate.random_folds(20, 4, 1, 0))
    scores = score_cell(question, metric, lambda name, size, index: np.full(5, 100.0 if index == 1 else 0.0), "a", 6)
    assert scores.imputed.tolist() == [False, True, False, False]
    assert scores.score.tolist() == [1.0] * 4


def test_constant_loss_uses_the_full_size(simulate):
    target = np.arange(20.0)
    plan = simulate.random_folds(20, 4, 1, 0)
    expected = np.mean([np.mean((target[split.test] - target[split.train[:15]].mean()) ** 2) for split in plan.splits])
    assert constant_loss(Question(simulate.task, target, plan), simulate.metric) == pytest.approx(expected)


def test_weights_reach_the_constant_and_the_score(simulate):
    target, weight = np.arange(20.0), np.linspace(1, 2, 20)
    plan = simulate.random_folds(20, 2, 1, 0)
    expected = []
    for split in plan.splits:
        constant = np.average(target[split.train], weights=weight[split.train])
        expected.append(np.average((target[split.test] - constant) ** 2, weights=weight[split.test]))
    assert constant_loss(Question(simulate.task, target, plan, weight), simulate.metric) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("name", ["log_loss", "auc", "balanced_accuracy"])
def test_splits_without_any_weight_are_left_out_of_the_constant_loss(simulate, name):
    plan, target = simulate.random_folds(20, 4, 1, 0), np.tile([0, 1], 10)
    weight = np.ones(20)
    weight[plan.splits[0].test] = 0
    task = Task("binary", ("no", "yes"), name, (name,))
    assert np.isfinite(constant_loss(Question(task, target, plan, weight), METRICS.get(name)))


def test_margin_is_a_fraction_unless_the_metric_has_its_own_units():
    relative = Metric("m", ("regression",), False, lambda *_: 0.0, None)
    absolute = Metric("m", ("binary",), True, lambda *_: 0.0, None, absolute_margin=0.005)
    assert margin_value(relative, None, 3.0) == pytest.approx(0.03)
    assert margin_value(relative, 0.1, 3.0) == pytest.approx(0.3)
    assert margin_value(absolute, None, -0.5) == 0.005
    assert margin_value(absolute, 0.1, -0.5) == 0.1


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_margin_that_is_no_amount_is_refused(wrong):
    metric = Metric("m", ("regression",), False, lambda *_: 0.0, None)
    with pytest.raises(BadOption, match="margin"):
        margin_value(metric, wrong, 1.0)
