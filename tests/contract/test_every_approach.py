"""The contract of every approach: registered ones and the usual composed ones, on each kind of task."""

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabbench.approaches.composed import find_approach, listed_approaches
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.side_by_side import SideBySide
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.views import fit_view

EFFORT = 0.02
TRAINING_ROWS = 100
TEST_ROWS = 30
COLUMNS = (
    Column("x", "number"), Column("count", "number"), Column("same", "number"), Column("colour", "category"),
    Column("is_new", "boolean"), Column("day", "date"), Column("note", "text"))
TASKS = {
    "binary": Task("binary", ("<=50K", ">50K"), "log_loss", ("log_loss",)),
    "multiclass": Task("multiclass", ("a b", "ä", "é?"), "log_loss", ("log_loss",)),
    "regression": Task("regression", (), "rmse", ("rmse",))}
NAMES = [approach.name for approach in listed_approaches()]

every_approach = pytest.mark.parametrize("name", NAMES)
every_task = pytest.mark.parametrize("kind", list(TASKS))


def make_rows(seed=0):
    """Training rows first; test rows have a colour that no training row has."""
    generator = np.random.default_rng(seed)
    n = TRAINING_ROWS + TEST_ROWS
    x, count = generator.normal(size=n), generator.poisson(3, size=n).astype(float)
    colour = generator.choice(["red", "green", "blue"], size=n).astype(object)
    signal = 2 * x + (colour == "red") - 0.3 * count + generator.normal(size=n)
    x[::7], count[::11], colour[::13] = np.nan, np.nan, None
    colour[-5:] = "unseen"
    is_new = pd.array(generator.random(n) < 0.5, dtype="boolean")
    is_new[3] = pd.NA
    day = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, n), unit="D"))
    features = pd.DataFrame({
        "x": x, "count": count, "same": 1.0, "colour": pd.Categorical(colour), "is_new": is_new,
        "day": day.astype("datetime64[us]"), "note": pd.Series([f"note {i % 40} of {i % 7}" for i in range(n)], dtype="str")})
    return features, signal


def target_of(kind, signal):
    if kind == "regression":
        return signal * 1000 + 5e4
    cuts = [0.0] if kind == "binary" else [-0.8, 0.8]
    return np.digitize(signal, cuts).astype(np.int64)


def train(approach, kind, features, target, *, seed=7, weight=None, task=None, side_by_side=None):
    task = task or TASKS[kind]
    view = fit_view(approach.view, features, COLUMNS, seed=5)
    settings = approach.settings(Workload(EFFORT, len(features), len(COLUMNS), task.n_classes))
    training = TrainingSet(view.transform(features), target, task, settings, seed=seed, shared_seed=11, weight=weight,
                           side_by_side=side_by_side)
    return view, approach.fit(training)


def usable(name):
    approach = find_approach(name)
    for package in approach.requires:
        try:
            import_module(package)
        except (ImportError, OSError) as error:
            pytest.skip(f"{name} needs {package}, which does not load here: {error}")
    return approach


@cache
def trained(name, kind):
    features, signal = make_rows()
    target = target_of(kind, signal)
    return train(usable(name), kind, features[:TRAINING_ROWS], target[:TRAINING_ROWS])


@dataclass(frozen=True, eq=False)
class Weighted:
    """A fit with weights: rows of the last class, or with a high number, weigh some fifty times as much as others."""

    given: tuple[Any, ...]
    before: tuple[Any, ...]
    view: Any
    matrix: Any
    same_matrix: Any
    fitted: Any


@cache
def weighted(name, kind):
    features, signal = make_rows()
    target = target_of(kind, signal)[:TRAINING_ROWS]
    is_high = target > np.median(target) if kind == "regression" else target == target.max()
    weight = np.random.default_rng(3).uniform(0.5, 3, TRAINING_ROWS) * np.where(is_high, 50.0, 1.0)
    before = features.copy(deep=True), target.copy(), weight.copy()
    approach = usable(name)
    view = fit_view(approach.view, features[:TRAINING_ROWS], COLUMNS, seed=5)
    matrix, same = view.transform(features[:TRAINING_ROWS]), view.transform(features[:TRAINING_ROWS])
    settings = approach.settings(Workload(EFFORT, TRAINING_ROWS, len(COLUMNS), TASKS[kind].n_classes))
    fitted = approach.fit(TrainingSet(matrix, target, TASKS[kind], settings, seed=7, shared_seed=11, weight=weight))
    return Weighted((features, target, weight), before, view, matrix, same, fitted)


def assert_same_parts(first, second):
    assert first.values == second.values
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        assert array.dtype == second.arrays[name].dtype
        assert array.shape == second.arrays[name].shape
        assert array.tobytes() == second.arrays[name].tobytes(), name
    assert first.blobs == second.blobs
    assert first.children.keys() == second.children.keys()
    for name, child in first.children.items():
        assert_same_parts(child, second.children[name])


@every_task
@every_approach
def test_predicts_rows_with_missing_values_and_unseen_levels(name, kind):
    view, fitted = trained(name, kind)
    features, _ = make_rows()
    prediction = fitted.predict(view.transform(features))
    assert prediction.dtype == np.float64
    assert np.isfinite(prediction).all()
    if kind == "regression":
        assert prediction.shape == (len(features),)
    else:
        assert prediction.shape == (len(features), TASKS[kind].n_classes)
        assert (prediction > 0).all()
        np.testing.assert_allclose(prediction.sum(axis=1), 1, atol=1e-6)


@every_task
@every_approach
def test_learns_what_is_there(name, kind):
    """The signal is strong: on its training rows an approach does better than the constant."""
    view, fitted = trained(name, kind)
    dummy_view, dummy = trained("dummy", kind)
    features, signal = make_rows()
    features, target = features[:TRAINING_ROWS], target_of(kind, signal)[:TRAINING_ROWS]

    def loss(prediction):
        if kind == "regression":
            return np.mean((prediction - target) ** 2)
        return -np.log(prediction[np.arange(len(target)), target]).mean()

    own, constant = loss(fitted.predict(view.transform(features))), loss(dummy.predict(dummy_view.transform(features)))
    assert own < constant or name == "dummy"


@every_task
@every_approach
def test_one_row_is_predicted_as_among_others(name, kind):
    view, fitted = trained(name, kind)
    features, _ = make_rows()
    together = fitted.predict(view.transform(features))
    alone = fitted.predict(view.transform(features[-1:]))
    np.testing.assert_allclose(alone[0], together[-1], rtol=1e-5)


@every_task
@every_approach
def test_test_rows_change_no_byte_of_what_was_trained(name, kind):
    """Test rows with other values and other levels; the training rows' frames differ in nothing that may count."""
    features, signal = make_rows()
    changed = features.copy()
    changed.loc[TRAINING_ROWS:, "x"] = 1e39
    colour = changed["colour"].astype(object)
    colour[TRAINING_ROWS:] = "aaa first in the alphabet"
    changed["colour"] = colour.astype("category")
    target = target_of(kind, signal)
    view, fitted = train(usable(name), kind, changed[:TRAINING_ROWS], target[:TRAINING_ROWS])
    first_view, first = trained(name, kind)
    assert_same_parts(first.to_parts(), fitted.to_parts())
    assert_same_parts(first_view.to_parts(), view.to_parts())


@every_task
@every_approach
def test_restored_from_its_parts_it_predicts_bit_for_bit(name, kind):
    view, fitted = trained(name, kind)
    features, _ = make_rows()
    matrix = view.transform(features)
    restored = find_approach(name).restore(fitted.to_parts())
    assert restored.tuned == fitted.tuned
    assert restored.predict(matrix).tobytes() == fitted.predict(matrix).tobytes()
    assert_same_parts(restored.to_parts(), fitted.to_parts())


@every_task
@every_approach
def test_leaves_its_input_untouched_and_only_the_ratios_of_weights_count(name, kind):
    """Survey weights add up to millions, others to one. A power of two, so that not even rounding differs."""
    fit = weighted(name, kind)
    features, target, weight = fit.given
    predictions = fit.fitted.predict(fit.matrix)
    pd.testing.assert_frame_equal(features, fit.before[0])
    assert (target == fit.before[1]).all()
    assert (weight == fit.before[2]).all()
    for held in ("values", "numbers", "codes"):
        if hasattr(fit.matrix, held) and not isinstance(fit.matrix, pd.DataFrame):
            np.testing.assert_array_equal(getattr(fit.matrix, held), getattr(fit.same_matrix, held))
    _, scaled = train(usable(name), kind, features[:TRAINING_ROWS], target, weight=weight * 2.0**-10)
    np.testing.assert_allclose(scaled.predict(fit.matrix), predictions, rtol=1e-6)


@every_task
@every_approach
def test_weights_count(name, kind):
    """Rows of the last class, or with a high number, weigh some fifty times as much: predictions move there."""
    features, _ = make_rows()
    fit = weighted(name, kind)
    first_view, first = trained(name, kind)
    heavier, unweighted = fit.fitted.predict(fit.view.transform(features)), first.predict(first_view.transform(features))
    if kind != "regression":
        heavier, unweighted = heavier[:, -1], unweighted[:, -1]
    assert heavier.mean() > unweighted.mean()


@every_approach
def test_predicts_only_the_classes_that_it_was_given(name):
    """A small training part may lack a class: then the task it is given has only the others."""
    features, signal = make_rows()
    target = target_of("multiclass", signal)[:TRAINING_ROWS]
    rows = np.flatnonzero(target != 1)
    task = TASKS["multiclass"].with_classes(("a b", "é?"))
    view, fitted = train(usable(name), "multiclass", features.iloc[rows], (target[rows] == 2).astype(np.int64), task=task)
    assert fitted.predict(view.transform(features)).shape == (len(features), 2)


@every_approach
def test_a_table_of_one_constant_column_is_no_obstacle(name):
    features = pd.DataFrame({"same": np.ones(40)})
    approach = usable(name)
    view = fit_view(approach.view, features, (Column("same", "number"),), seed=0)
    settings = approach.settings(Workload(EFFORT, 40, 1, 2))
    target = np.arange(40) % 2
    fitted = approach.fit(TrainingSet(view.transform(features), target, TASKS["binary"], settings, seed=1, shared_seed=2))
    np.testing.assert_allclose(fitted.predict(view.transform(features)), 0.5, atol=0.1)


@every_approach
def test_settings_are_plain_and_depend_on_the_workload_alone(name):
    approach = find_approach(name)
    workload = Workload(1.0, 5000, 12, 3)
    settings = approach.settings(workload)
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    assert settings == find_approach(name).settings(replace(workload))


@every_approach
@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_how_many_parts_go_on_side_by_side_changes_no_number(name, kind, monkeypatch):
    approach = usable(name)
    if "torch" in approach.requires:  # so few rows would not be divided
        monkeypatch.setattr(import_module("tabbench.nets.steps"), "FEWEST_PRODUCTS", 0)
    features, signal = make_rows()
    target = target_of(kind, signal)
    predictions = []
    for count in (1, 3):
        view, fitted = train(approach, kind, features[:TRAINING_ROWS], target[:TRAINING_ROWS], side_by_side=SideBySide(count))
        predictions.append(fitted.predict(view.transform(features[TRAINING_ROWS:])))
    assert np.array_equal(*predictions)
