"""The boosted approaches through their registered entries: predictions, sharing, saving, odd tables."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.boosting.amount import booster_settings
from tabbench.boosting.objective import Objective
from tabbench.boosting.weights import choose_weights
from tabbench.core.approach import APPROACHES, SharedWork, TrainingSet, Workload
from tabbench.core.matrices import TreeMatrix
from tabbench.core.task import Task

NAMES = ["xgboost", "lightgbm", "boosting"]
KINDS = ["binary", "multiclass", "regression"]


def task_of(kind, metric=None):
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[kind]
    metric = metric or ("rmse" if kind == "regression" else "log_loss")
    return Task(kind, classes, metric, (metric,))


def table(kind, rows=150, seed=0):
    """Two numbers (one with holes), a category that matters, a constant column."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 2))
    code = random.integers(0, 6, rows)
    signal = 2.0 * numbers[:, 0] + np.array([3.0, -3, 1, -1, 2, -2])[code] + random.normal(size=rows) * 0.3
    numbers[random.random(rows) < 0.2, 1] = np.nan
    values = np.column_stack([numbers, code, np.ones(rows)]).astype(np.float32)
    target = {"binary": (signal > 0).astype(np.int64), "multiclass": np.digitize(signal, [-1.5, 1.5]).astype(np.int64),
              "regression": 1e6 + 1000.0 * signal}[kind]
    return TreeMatrix(values, (0, 0, 6, 0), ("first", "second", "kind", "constant")), target


def training_set(name, kind, rows=150, **changes):
    matrix, target = table(kind, rows)
    task = task_of(kind)
    settings = APPROACHES.get(name).settings(Workload("fast", rows, 4, task.n_classes))
    return replace(TrainingSet(matrix, target, task, settings, seed=5, shared_seed=6), **changes)


def loss(kind, target, predictions):
    if kind == "regression":
        return np.mean((target - predictions) ** 2)
    return -np.mean(np.log(predictions[np.arange(len(target)), target]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_learns_and_comes_back_bit_equal(name, kind):
    training = training_set(name, kind)
    fitted = APPROACHES.get(name).fit(training)
    new, truth = table(kind, seed=1)
    new.values[0, 2] = np.nan
    predictions = fitted.predict(new)
    assert predictions.dtype == np.float64
    assert np.isfinite(predictions).all()
    constant = np.full(150, training.target.mean()) if kind == "regression" else np.tile(
        np.bincount(training.target) / 150, (150, 1))
    assert loss(kind, truth, predictions) < 0.6 * loss(kind, truth, constant)
    if kind != "regression":
        np.testing.assert_allclose(predictions.sum(axis=1), 1.0)
        stored = predictions.astype(np.float32)
        assert ((stored > 0) & (stored < 1)).all()
    restored = APPROACHES.get(name).restore(fitted.to_parts())
    assert restored.predict(new).tobytes() == predictions.tobytes()
    assert restored.tuned == fitted.tuned


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_model_and_another_seed_another(name):
    fit = APPROACHES.get(name).fit
    first, second = fit(training_set(name, "binary")), fit(training_set(name, "binary"))
    assert first.to_parts().blobs == second.to_parts().blobs
    assert fit(training_set(name, "binary", shared_seed=7)).to_parts().blobs != first.to_parts().blobs


def test_sharing_changes_no_number_and_is_charged():
    new, _ = table("binary", seed=1)
    alone = {name: APPROACHES.get(name).fit(training_set(name, "binary")).predict(new) for name in NAMES}
    shared = SharedWork()
    for name in NAMES:
        together = APPROACHES.get(name).fit(training_set(name, "binary", shared=shared, seed=len(name))).predict(new)
        assert together.tobytes() == alone[name].tobytes()
    assert shared.charged_seconds > 0


def test_other_columns_do_not_meet_in_the_memo():
    shared = SharedWork()
    training = training_set("xgboost", "binary", shared=shared)
    APPROACHES.get("xgboost").fit(training)
    fewer = replace(training, features=training.features.select(np.array([1, 3])))
    together = APPROACHES.get("xgboost").fit(fewer)
    alone = APPROACHES.get("xgboost").fit(replace(fewer, shared=SharedWork()))
    assert together.to_parts().blobs == alone.to_parts().blobs


def test_boosting_settings_hold_those_of_its_members():
    workload = Workload("balanced", 1000, 10, 2)
    members = APPROACHES.get("boosting").settings(workload)["members"]
    assert members == {name: APPROACHES.get(name).settings(workload) for name in ("xgboost", "lightgbm")}


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_weight_do_not_count(name):
    training = training_set(name, "regression", rows=200)
    target = training.target.copy()
    target[::2] += 1e5
    weight = np.tile([0.0, 1.0], 100)
    predictions = APPROACHES.get(name).fit(replace(training, target=target, weight=weight)).predict(training.features)
    assert np.abs(predictions - training.target).mean() < 2500


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [12, 30])
def test_few_rows_and_a_rare_class(name, rows):
    matrix, target = table("multiclass", rows)
    target = np.where(np.arange(rows) < 2, 2, target % 2)
    settings = APPROACHES.get(name).settings(Workload("fast", rows, 4, 3))
    fitted = APPROACHES.get(name).fit(TrainingSet(matrix, target, task_of("multiclass"), settings, 1, 2))
    assert fitted.predict(matrix).shape == (rows, 3)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_learn_from_constant_columns(name):
    matrix = TreeMatrix(np.ones((60, 2), np.float32), (0, 0), ("one", "other"))
    target = np.tile([0, 0, 1], 20).astype(np.int64)
    training = training_set(name, "binary", features=matrix, target=target)
    np.testing.assert_allclose(APPROACHES.get(name).fit(training).predict(matrix)[:, 1], 1 / 3, atol=0.03)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_rows_in_time_are_fitted_once_more_on_all(name):
    training = training_set(name, "binary", time=np.arange(150))
    fitted = APPROACHES.get(name).fit(training)
    assert fitted.tuned["models"] == 1
    newest = fitted.predict(training.features.take(np.arange(100, 150)))
    assert loss("binary", training.target[100:], newest) < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_absolute_error_is_learnt_when_it_decides(name):
    random = np.random.default_rng(0)
    matrix = TreeMatrix(random.normal(size=(300, 1)).astype(np.float32), (0,), ("noise",))
    target = random.exponential(size=300) ** 3
    settings = APPROACHES.get(name).settings(Workload("fast", 300, 1, 0))
    fits = [APPROACHES.get(name).fit(TrainingSet(matrix, target, task_of("regression", metric), settings, 1, 2))
            for metric in ("mae", "rmse")]
    absolute, squared = (fit.predict(matrix).mean() for fit in fits)
    assert absolute < 0.5 * squared


@pytest.mark.parametrize("name", NAMES)
def test_a_far_and_narrow_target_keeps_its_digits(name):
    training = training_set(name, "regression")
    target = 1e12 + training.target / 1e3
    predictions = APPROACHES.get(name).fit(replace(training, target=target)).predict(training.features)
    assert np.corrcoef(predictions - 1e12, target - 1e12)[0, 1] > 0.95


@pytest.mark.parametrize("rows, columns, classes",
                         [(62, 15, 2), (40_000, 15, 2), (400_000, 42, 23), (3000, 1617, 2), (250, 42, 23)])
@pytest.mark.parametrize("preset", ["fast", "balanced", "thorough"])
def test_settings_are_sensible_at_every_shape(preset, rows, columns, classes):
    settings = booster_settings(Workload(preset, rows, columns, classes))
    assert settings["rounds"] >= 20
    assert settings["inner_folds"] >= 2
    assert settings["configurations"] >= 1


def test_more_configurations_are_all_tried():
    settings = booster_settings(Workload("balanced", 150, 4, 2)) | {"rounds": 20, "configurations": 8}
    training = training_set("boosting", "binary", settings={"members": {"xgboost": settings, "lightgbm": settings}})
    members = APPROACHES.get("boosting").fit(training).tuned["members"]
    assert len({(member["library"], member["configuration"]) for member in members}) > 8


def test_weights_favour_the_better_member_and_add_up():
    target = np.tile([0, 1], 5000).astype(np.int64)
    good, bad = np.where(target[:, None] == [0, 1], 0.9, 0.1), np.where(target[:, None] == [0, 1], 0.3, 0.7)
    assert choose_weights([good, bad], target, None, Objective("binary", 2)) == [1.0, 0.0]
    few = choose_weights([good[:10], bad[:10]], target[:10], None, Objective("binary", 2))
    assert sum(few) == pytest.approx(1.0)
    assert 0.5 < few[0] < 0.55
