import numpy as np
import pytest

from tabbench.core.errors import BadData
from tabbench.core.metric import METRICS, Metric
from tabbench.core.split import Split, SplitPlan
from tabbench.core.task import Task
from tabbench.verdict.evidence import build_evidence, training_overlap
from tabbench.verdict.scoring import Question


def build(simulate, metric, predictions, **options):
    target = np.arange(40.0)
    plan = simulate.random_folds(40, 4, 2, 0)
    question = Question(simulate.task, target, plan, options.pop("weight", None))
    present = [("late", 10), ("early", 10), ("early", 30)]
    return build_evidence(
        question,
        metric,
        predictions(plan, target),
        present,
        approaches=["early", "never", "late"],
        families={"early": "linear", "late": "net"},
        cost_ranks={"early": 1, "late": 2},
        representatives=["late", "never"],
        **options,
    )


def test_only_what_was_run_is_present_in_listing_order(simulate):
    evidence = build(
        simulate, simulate.metric, lambda plan, target: lambda name, size, index: target[plan.splits[index].test] + 1
    )
    assert evidence.approaches == ("early", "late")
    assert evidence.representatives == ("late",)
    assert evidence.sizes == (10, 30)
    assert evidence.present(30) == ["early"]
    assert evidence.n_splits == 8
    assert evidence.mean("early", 30) == 1.0
    assert evidence.test_ratio == pytest.approx(1 / 3)


def test_rows_line_up_with_their_split_and_unit(simulate):
    weight = np.linspace(1, 2, 40)
    evidence = build(simulate, simulate.metric, lambda plan, target: lambda *_: np.zeros(10), weight=weight)
    assert evidence.row_loss["early", 30] == pytest.approx(evidence.unit.astype(float) ** 2)
    assert evidence.weight == pytest.approx(weight[evidence.unit])
    by_split = [
        np.average(evidence.row_loss["early", 30][evidence.split == each], weights=evidence.weight[evidence.split == each])
        for each in range(8)
    ]
    assert evidence.loss["early", 30] == pytest.approx(by_split)


def test_higher_is_better_turns_the_sign(simulate):
    metric = Metric("hits", ("regression",), True, lambda truth, prediction, weight: 0.7, None)
    evidence = build(simulate, metric, lambda plan, target: lambda *_: np.zeros(10))
    assert evidence.loss["late", 10] == pytest.approx(np.full(8, -0.7))
    assert evidence.row_loss == {}


def test_split_in_which_the_metric_is_undefined_is_left_out_for_all(simulate):
    def score(truth, prediction, weight):
        return float("nan") if 0.0 in truth else 0.5

    evidence = build(
        simulate,
        Metric("m", ("regression",), True, score, lambda truth, *_: truth),
        lambda plan, target: lambda *_: np.zeros(10),
    )
    assert evidence.n_splits == 6
    assert 0 not in evidence.unit
    assert len(evidence.row_loss["early", 10]) == len(evidence.split) == 60


def test_metric_that_is_undefined_everywhere_is_refused(simulate):
    with pytest.raises(BadData, match="choose another one with metric"):
        build(
            simulate,
            Metric("m", ("regression",), True, lambda *_: float("nan"), None),
            lambda plan, target: lambda *_: np.zeros(10),
        )


def test_overlap_is_near_the_share_of_rows_and_bounded(simulate):
    plan = simulate.random_folds(1000, 5, 3, 0)
    assert training_overlap(plan.splits, 200, 1000) == pytest.approx(0.2, abs=0.01)
    assert training_overlap(plan.splits[:1], 200, 1000) == 0.0
    same = [Split(0, fold, np.arange(10), np.array([10 + fold])) for fold in range(3)]
    assert training_overlap(same, 10, 13) == 0.95


def test_cuts_in_time_count_only_rows_that_are_used(simulate):
    target = np.arange(30.0)
    splits = tuple(
        Split(0, fold, np.arange(10 * (fold + 1))[::-1].copy(), np.arange(10 * (fold + 1), 10 * (fold + 1) + 5))
        for fold in range(2)
    )
    plan = SplitPlan("ordered", splits, 2, 1, 10, np.arange(30))
    metric = Metric("m", ("regression",), False, lambda *_: 1.0, None)
    evidence = build_evidence(
        Question(simulate.task, target, plan),
        metric,
        lambda *_: np.zeros(5),
        [("a", 10)],
        approaches=["a"],
        families={"a": "linear"},
        cost_ranks={"a": 1},
    )
    assert evidence.test_ratio == pytest.approx((5 / 10 + 5 / 20) / 2)
    assert evidence.overlap[10] == 0.0


def of_classes(target, splits, metric="auc", unit=None):
    """What classes of the test rows say about the variance of a score by its rows."""
    target = np.array(target)
    units = np.arange(len(target)) if unit is None else unit
    plan = SplitPlan("stratified", tuple(splits), len(splits), 1, 2, units)
    question = Question(Task("binary", ("no", "yes"), metric, (metric,)), target, plan)
    halves = [np.full((len(split.test), 2), 0.5) for split in splits]
    return build_evidence(
        question, METRICS.get(metric), lambda name, size, index: halves[index], [("a", 2), ("b", 2)], approaches=["a", "b"],
        families={"a": "x", "b": "y"}, cost_ranks={"a": 0, "b": 1}, margin=0.1)


def fold(number, test, train=(0, 1)):
    return Split(0, number, np.array(train), np.array(test))


def test_a_split_in_which_the_metric_is_undefined_leaves_the_margin_as_it_is():
    target, splits = np.array([1.0, 2, 4, 1, 2, 4, 0, 0]), (fold(0, [2, 3, 4, 5]), fold(1, [6, 7]))

    def margin(kept):
        question = Question(Task("regression", (), "poisson_deviance", ("poisson_deviance",)), target,
                            SplitPlan("shuffled", kept, len(kept), 1, 2, np.arange(8)))
        close = [target[split.test] * 1.001 for split in kept]
        return build_evidence(question, METRICS.get("poisson_deviance"), lambda name, size, index: close[index], [("a", 2)],
                              approaches=["a"], families={"a": "x"}, cost_ranks={"a": 0}).margin

    assert margin(splits) == margin(splits[:1])


def test_a_class_of_few_rows_counts_by_its_own_in_the_splits_where_the_metric_is_defined():
    target = [0] * 12 + [1] * 5
    evidence = of_classes(target, [fold(0, [0, 1, 2, 3]), fold(1, [4, 5, 6, 7, 12, 13]), fold(2, [8, 9, 10, 11, 14, 15, 16])])
    assert evidence.n_splits == 2
    assert evidence.class_step == pytest.approx([1 / 2, 1 / 3])
    assert 1 < evidence.class_degrees[0] < 2.5 < evidence.class_degrees[1] < 5
    halved = of_classes(target, [fold(1, [4, 5, 6, 7, 12, 13])], "balanced_accuracy")
    assert halved.class_step == pytest.approx([1 / 4])
    assert of_classes(target, [fold(1, [4, 5, 12, 13])], "accuracy").class_degrees is None


def test_groups_are_what_a_class_consists_of_unless_every_split_has_one():
    target, group = [0] * 8 + [1] * 8, np.repeat(np.arange(8), 2)
    halves = [fold(0, [0, 1, 2, 3, 8, 9, 10, 11]), fold(1, [4, 5, 6, 7, 12, 13, 14, 15])]
    assert of_classes(target, halves).class_degrees == pytest.approx([6, 6])
    assert of_classes(target, halves, unit=group).class_degrees == pytest.approx([2, 2])
    assert of_classes(target, halves, unit=group).class_step == pytest.approx([1 / 2, 1 / 2])
    one_each = np.repeat([0, 1, 2, 3], 4)
    assert of_classes(target, halves, unit=one_each).class_degrees == pytest.approx([6, 6])
    assert of_classes(target, halves[:1], unit=one_each).class_degrees == pytest.approx([0.2])
