"""What the contract does not say about dummy, linear and forest."""

import numpy as np
import pytest

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.matrices import LinearMatrix, TreeMatrix
from tabbench.core.task import Task


def numbers_task(metric):
    return Task("regression", (), metric, (metric,))


@pytest.mark.parametrize(("metric", "weight", "constant"), [
    ("rmse", None, 26.5), ("mae", None, 2.5), ("mae", [1, 1, 1, 5], 100.0), ("rmse", [1, 0, 0, 0], 1.0)])
def test_the_constant_is_the_best_one_for_the_metric(metric, weight, constant):
    training = TrainingSet(np.zeros(4), np.array([1.0, 2, 3, 100]), numbers_task(metric), {}, seed=1, shared_seed=1,
                           weight=None if weight is None else np.array(weight, dtype=float))
    assert find_approach("dummy").fit(training).predict(np.zeros(2)).tolist() == [constant] * 2


def linear_training(metric="log_loss", n=120, p=3, kind="binary", effort=0.1, **changes):
    generator = np.random.default_rng(2)
    values = generator.normal(size=(n, p))
    signal = values[:, 0] + generator.normal(size=n) * 0.5
    task = numbers_task(metric) if kind == "regression" else Task("binary", ("a", "b"), metric, (metric,))
    target = signal if kind == "regression" else (signal > 0).astype(np.int64)
    settings = find_approach("linear").settings(Workload(effort, n, p, task.n_classes))
    return TrainingSet(**{"features": LinearMatrix(values, tuple(map(str, range(p)))), "target": target, "task": task,
                          "settings": settings, "seed": 1, "shared_seed": 1, **changes})


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "auc", "brier"])
def test_linear_tunes_for_the_metric_that_decides(metric):
    fitted = find_approach("linear").fit(linear_training(metric))
    assert fitted.tuned["penalty"] in ("l1", "l2")
    assert np.isfinite(fitted.tuned["inner_loss"])
    assert (fitted.tuned["inner_loss"] < 0) == (metric in ("accuracy", "auc"))


@pytest.mark.parametrize("factor", [1e-150, 1.0, 1e150])
def test_linear_regression_copes_with_a_target_of_any_size(factor):
    training = linear_training("rmse", kind="regression")
    scaled = linear_training("rmse", kind="regression", target=training.target * factor)
    plain = find_approach("linear").fit(training).predict(training.features)
    np.testing.assert_allclose(find_approach("linear").fit(scaled).predict(scaled.features) / factor, plain, rtol=1e-6)


def test_more_work_for_more_effort_and_less_a_point_in_a_bigger_table():
    settings = find_approach("linear").settings
    counts = [sum(map(len, settings(Workload(effort, 1000, 10, 2))["C"].values())) for effort in (0.1, 1.0, 6.0)]
    assert counts == sorted(set(counts))
    small, large = settings(Workload(0.1, 1000, 10, 5)), settings(Workload(0.1, 400_000, 40, 23))
    assert small["tuning_rows"] >= large["tuning_rows"]


def test_capped_steps_are_recorded_and_no_warning():
    training = linear_training(effort=0.1, p=30)
    settings = training.settings | {"newton_steps": 1, "C": {"l2": [1000.0]}}
    assert find_approach("linear").fit(linear_training(p=30, settings=settings)).tuned["converged"] is False


@pytest.mark.parametrize("effort", [0.1, 1.0])
def test_the_forest_sees_a_pattern_no_line_can(effort):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(400, 3)).astype(np.float32)
    target = (values[:, 0] * values[:, 1] > 0).astype(np.int64)
    values[::9, 2] = np.nan
    approach = find_approach("forest")
    task = Task("binary", ("n", "y"), "log_loss", ("log_loss",))
    training = TrainingSet(TreeMatrix(values, (0, 0, 0), ("a", "b", "c")), target, task,
                           approach.settings(Workload(effort, 400, 3, 2)), seed=1, shared_seed=1)
    fitted = approach.fit(training)
    chance = fitted.predict(training.features)[:, 1]
    assert ((chance > 0.5) == target).mean() > 0.9
    assert chance.min() > 0 and chance.max() < 1
    assert fitted.tuned["leaf"] in training.settings["leaves"]
