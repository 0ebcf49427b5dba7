"""Learners and selectors joined by `+`: names, what is chosen, what is shared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.approaches import composed
from tabbench.approaches.composed import (
    LONGEST_NAME,
    TOLERATED_ERRORS,
    default_approaches,
    find_approach,
    listed_approaches,
    smallest_as_good,
)
from tabbench.approaches.tuning import tuning_rows
from tabbench.core.approach import SELECTORS, SharedWork, TrainingSet, Workload
from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.matrices import LinearMatrix
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.views import fit_view
from tabbench.views import linear as linear_view

TASKS = {"binary": Task("binary", ("a", "b"), "log_loss", ("log_loss",)),
         "multiclass": Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",)),
         "regression": Task("regression", (), "rmse", ("rmse",))}
BINARY = TASKS["binary"]


def training_set(approach, n=80, noise=150, seed=0):
    """One column that counts among many that don't."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, noise + 1))
    target = (values[:, 7] + 0.3 * generator.normal(size=n) > 0).astype(np.int64)
    matrix = LinearMatrix(values, tuple(f"x{i}" for i in range(noise + 1)))
    settings = approach.settings(Workload(0.1, n, noise + 1, 2))
    return TrainingSet(matrix, target, BINARY, settings, seed=3, shared_seed=4)


def test_the_list_is_in_order_of_cost_and_holds_the_usual_ones():
    approaches = listed_approaches()
    ranks = [approach.cost_rank for approach in approaches]
    assert ranks == sorted(ranks)
    names = [approach.name for approach in approaches]
    assert names[0] == "dummy"
    assert {"linear", "forest", "linear+forest", "linear+pca"} <= set(names)
    assert len(names) == len(set(names))


def test_what_runs_by_default_is_said_where_it_is_registered():
    fast = ("dummy", "linear", "linear+forest", "lightgbm", "xgboost", "boosting", "mlp", "blend")
    assert default_approaches(0.1) == fast
    assert set(default_approaches(1.0)) - set(fast) == {"linear+pca", "forest"}
    assert set(default_approaches(6.0)) - set(default_approaches(1.0)) == {"mlp+forest"}
    assert find_approach("linear+l1").from_effort is find_approach("linear+forest+pca").from_effort is None


@pytest.mark.parametrize(("name", "message"), [
    ("lineer", "did you mean 'linear'"), ("linear+forrest", "no selector 'forrest'; did you mean 'forest'"),
    ("liner+pca", "did you mean 'linear'")])
def test_wrong_names_get_suggestions(name, message):
    with pytest.raises(UnknownName, match=message.replace("+", r"\+")):
        find_approach(name)


@pytest.mark.parametrize("name", ["dummy+pca", "blend+forest"])
def test_a_learner_that_sees_no_features_takes_no_selector(name):
    with pytest.raises(BadOption, match="cannot take selected features"):
        find_approach(name)


@pytest.mark.parametrize(("name", "missing"), [("linear+", "a selector after"), ("linear++pca", "a selector after"),
                                               ("+linear", "a learner before"), (" + ", "a learner before")])
def test_a_name_that_is_missing_beside_a_plus_is_said_so(name, missing):
    with pytest.raises(UnknownName, match=f"the name of {missing} \\+ is missing"):
        find_approach(name)


def test_a_composed_approach_combines_its_parts():
    linear, composed = find_approach("linear"), find_approach("linear + forest")
    assert composed.name == "linear+forest"
    assert composed.family == "linear"
    assert composed.cost_rank > linear.cost_rank
    assert not composed.represents
    workload = Workload(1.0, 1000, 10, 2)
    assert composed.settings(workload)["learner"] == linear.settings(workload)
    assert find_approach("linear+forest+pca").settings(workload)["learner"].keys() == find_approach("linear+pca").settings(
        workload).keys()


def test_selection_finds_the_column_among_noise_and_wins():
    """Without L1, which would select by itself."""
    composed, linear = find_approach("linear+forest"), find_approach("linear")
    only_l2 = training_set(linear).settings | {"C": {"l2": [0.01, 1.0]}}
    training = training_set(composed)
    training = replace(training, settings=training.settings | {"trial": only_l2, "learner": only_l2})
    fitted = composed.fit(training)
    assert fitted.n_features < 151
    assert "x7" in fitted.selection.transform(training.features, fitted.n_features).names
    test = training_set(linear, n=1000, seed=9)

    def loss(model):
        return -np.log(model.predict(test.features)[np.arange(1000), test.target]).mean()

    assert loss(fitted) < loss(linear.fit(replace(training, settings=only_l2)))


@pytest.mark.parametrize("kind", list(TASKS))
def test_a_linear_learner_predicts_by_the_candidate_that_is_best_on_all_trials_together(kind):
    approach, task = find_approach("linear"), TASKS[kind]
    trials, wanted = [], []
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=(160, 6))
        signal = values[:, 0] + 0.5 * values[:, 1] + np.random.default_rng(9 + seed).normal(size=160)
        target = {"binary": (signal > 0).astype(np.int64), "multiclass": np.digitize(signal, [-1, 1]),
                  "regression": 40 + signal}[kind]
        matrix = LinearMatrix(values, tuple("abcdef"))
        settings = approach.settings(Workload(0.1, 100, 6, len(task.classes)))
        trials.append((TrainingSet(matrix.take(np.arange(100)), target[:100], task, settings, seed=0, shared_seed=0),
                       matrix.take(np.arange(100, 160))))
        wanted.append(target[100:])
    seen = []

    def loss(predictions):
        each = [np.sqrt(np.mean((truth - prediction) ** 2)) if kind == "regression"
                else -np.log(prediction[np.arange(60), truth]).mean()
                for truth, prediction in zip(wanted, predictions, strict=True)]
        seen.append(float(np.mean(each)))
        return seen[-1]

    best = approach.predict_best(trials, loss)
    assert len(seen) > 3, "candidates of several penalties"
    assert loss(best) == min(seen[:-1])
    alone = [approach.fit(training).predict(features) for training, features in trials]
    assert loss(best) < 1.03 * loss(alone)


def test_a_trial_that_holds_one_class_is_certain_of_it():
    approach = find_approach("linear")
    matrix = LinearMatrix(np.arange(20.0)[:, None], ("x",))
    one = Task("binary", ("a",), "log_loss", ("log_loss",))
    training = TrainingSet(matrix, np.zeros(20, dtype=np.int64), one, approach.settings(Workload(0.1, 20, 1, 2)), seed=0,
                           shared_seed=0)
    (prediction,) = approach.predict_best([(training, matrix.take(np.arange(5)))], lambda predictions: 0.0)
    assert prediction.tolist() == [[1.0]] * 5


@pytest.mark.parametrize("name", ["linear+forest+pca", "forest+pca", "forest+forest"])
def test_other_compositions_train_and_are_restored(name):
    approach = find_approach(name)
    training = training_set(approach, noise=10)
    fitted = approach.fit(training)
    prediction = fitted.predict(training.features)
    assert prediction.shape == (80, 2)
    assert approach.restore(fitted.to_parts()).predict(training.features).tobytes() == prediction.tobytes()


@pytest.mark.parametrize("name", ["linear", "linear+forest", "linear+pca", "forest+pca"])
@pytest.mark.parametrize("kind", list(TASKS))
def test_a_sparse_view_serves_every_learner(name, kind, monkeypatch):
    monkeypatch.setattr(linear_view, "MOST_DENSE_CELLS", 1000)
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"c": pd.Categorical(generator.choice([f"v{i}" for i in range(30)], 300))})
    approach, task = find_approach(name), TASKS[kind]
    signal = frame["c"].cat.codes.to_numpy() % 3
    target = signal * 10.0 if kind == "regression" else np.minimum(signal, task.n_classes - 1).astype(np.int64)
    matrix = fit_view("linear", frame, (Column("c", "category"),), 0).transform(frame)
    assert not isinstance(matrix.values, np.ndarray)
    settings = approach.settings(Workload(0.1, 300, 1, task.n_classes))
    fitted = approach.fit(TrainingSet(matrix, target, task, settings, seed=1, shared_seed=1))
    assert len(fitted.predict(matrix)) == 300


@pytest.mark.parametrize(("name", "kind"), [
    ("forest+forest", "multiclass"), ("lightgbm+univariate", "regression"), ("mlp+forest", "binary"),
    ("forest+pca", "regression"), ("linear+l1", "multiclass")])
def test_a_learner_keeps_its_own_view_where_the_selector_can_read_it(name, kind):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"c": pd.Categorical(generator.choice([f"v{i}" for i in range(6)], 120)),
                          "x": generator.normal(size=120), "noise": generator.normal(size=120)})
    columns = (Column("c", "category"), Column("x", "number"), Column("noise", "number"))
    approach, task = find_approach(name), TASKS[kind]
    learner = find_approach(name.partition("+")[0])
    assert approach.view == ("linear" if name.endswith("pca") else learner.view)
    signal = 2.0 * (frame["c"].cat.codes.to_numpy() % 3) + frame["x"].to_numpy()
    target = signal if kind == "regression" else np.digitize(signal, [1, 3][:task.n_classes - 1]).astype(np.int64)
    view = fit_view(approach.view, frame, columns, 0)
    matrix = view.transform(frame)
    settings = approach.settings(Workload(0.1, 120, 3, task.n_classes))
    fitted = approach.fit(TrainingSet(matrix, target, task, settings, seed=1, shared_seed=1))
    prediction = fitted.predict(matrix)
    assert approach.restore(fitted.to_parts()).predict(matrix).tobytes() == prediction.tobytes()
    if name.endswith("pca"):
        assert fitted.tuned["selected"] is None
    else:
        assert set(fitted.tuned["selected"]) <= set(matrix.names)
        assert len(fitted.tuned["selected"]) == fitted.n_features == fitted.tuned["features"]


def test_a_dear_learner_gets_fewer_trials():
    workload = Workload(1.0, 5000, 40, 2)
    cheap, dear = (find_approach(name).settings(workload) for name in ("linear+forest", "mlp+forest"))
    assert len(dear["shares"]) * dear["trial_folds"] <= 3 < len(cheap["shares"]) * cheap["trial_folds"]
    assert dear["shares"][-1] == cheap["shares"][-1] == 1.0


def test_many_columns_are_tried_on_one_hold_out_where_there_are_rows_for_it():
    approach = find_approach("linear+forest")
    folds = [approach.settings(Workload(0.1, *shape, 2))["trial_folds"] for shape in [(1200, 3000), (1200, 30), (96, 7000)]]
    assert folds == [1, 2, 2]


def test_long_names_are_cut_and_too_many_are_not_kept(monkeypatch):
    approach = find_approach("linear+univariate")
    training = training_set(approach, noise=9)
    named = replace(training, features=replace(training.features, names=tuple(f"{i}" + "x" * 200 for i in range(10))))
    selected = approach.fit(named).tuned["selected"]
    assert {len(name) for name in selected} == {LONGEST_NAME}
    monkeypatch.setattr(composed, "MOST_NAMES", 0)
    assert approach.fit(named).tuned["selected"] is None


@given(st.integers(2, 5), st.integers(3, 40), st.integers(0, 100))
def test_fewer_features_are_taken_only_within_noise(shares, rows, seed):
    generator = np.random.default_rng(seed)
    by_row = generator.normal(1, 0.3, size=(shares, rows))
    losses = by_row.mean(axis=1)
    chosen = smallest_as_good(losses, [list(by_row)], np.ones(rows))
    assert chosen <= np.argmin(losses)
    assert losses[chosen] - losses.min() <= 3 * TOLERATED_ERRORS * 0.6 / np.sqrt(rows) + 1e-12
    clearly = by_row + np.arange(shares)[::-1, None]
    assert smallest_as_good(clearly.mean(axis=1), [list(clearly)], np.ones(rows)) == shares - 1
    constant = np.tile(by_row[:1], (shares, 1))
    assert smallest_as_good(constant.mean(axis=1), [list(constant)], np.ones(rows)) == 0


def test_the_selection_on_all_rows_is_shared_and_sharing_changes_no_number():
    composed = find_approach("linear+forest")
    training = training_set(composed, noise=20)
    alone = composed.fit(training)
    again = composed.fit(replace(training, seed=3))  # the memo of the first fit travels along
    assert training.shared.charged_seconds > 0
    fresh = composed.fit(training_set(composed, noise=20))
    for other in (again, fresh):
        assert alone.predict(training.features).tobytes() == other.predict(training.features).tobytes()


def test_where_all_columns_are_taken_the_learner_alone_predicts_the_same():
    composed, linear = find_approach("linear+univariate"), find_approach("linear")
    training = training_set(composed)
    training = replace(training, settings=training.settings | {"shares": [1.0]})
    fitted = composed.fit(training)
    alone = linear.fit(replace(training, settings=training.settings["learner"], shared=SharedWork()))
    assert fitted.n_features == len(training.features.names)
    assert not fitted.selection.importances.any(), "nothing was ordered"
    np.testing.assert_allclose(fitted.predict(training.features), alone.predict(training.features), atol=1e-6)
    restored = composed.restore(fitted.to_parts())
    assert restored.predict(training.features).tobytes() == fitted.predict(training.features).tobytes()


def test_rows_for_tuning_hold_every_class():
    generator = np.random.default_rng(0)
    target = np.r_[np.zeros(5000), np.ones(3)].astype(np.int64)[generator.permutation(5003)]
    task = BINARY
    matrix = LinearMatrix(generator.normal(size=(5003, 1)), ("x",))
    training = TrainingSet(matrix, target, task, {}, seed=1, shared_seed=1, weight=np.arange(5003.0))
    sample = tuning_rows(training, 100)
    assert len(sample) == 100
    assert np.bincount(sample.target).tolist() == [97, 3]
    rows = np.flatnonzero(np.isin(matrix.values[:, 0], sample.features.values[:, 0]))
    assert sample.weight.tolist() == training.weight[rows].tolist()


def test_selectors_are_found():
    assert {"forest", "l1", "pca", "univariate"} <= set(SELECTORS.names())
