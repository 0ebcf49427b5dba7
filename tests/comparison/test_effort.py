"""Effort: the presets are three points of it, amounts of work grow with it everywhere, and the cheapest form still works."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tabbench.approaches.composed import HOLDOUT, find_approach, listed_approaches
from tabbench.core.approach import APPROACHES, SELECTORS, TrainingSet, Workload
from tabbench.core.effort import LEAST_EFFORT, MOST_EFFORT, POINTS, bounded, counted, name_of, nearest, point_name, scaled
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.nets.presets import preset_settings
from tabbench.options import PRESETS, Options, default_approaches, work_of
from tabbench.views import fit_view

LADDER = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 100.0)
efforts = st.one_of(st.sampled_from(LADDER), st.floats(LEAST_EFFORT, MOST_EFFORT))
amounts = st.lists(st.integers(1, 10**6), min_size=3, max_size=3).map(sorted)
NOT_AN_AMOUNT = {"patience", "learning_rate", "versions"}
"""Patience follows the epochs, which are fewer a net where there are more nets."""
FEWEST_ROWS = 500
"""On smaller tables the balanced preset's boosters are bounded to less work than the fast preset's, since all is learnt soon."""

TASKS = {"binary": Task("binary", ("no", "yes"), "log_loss", ("log_loss",)),
         "multiclass": Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",)),
         "regression": Task("regression", (), "rmse", ("rmse",))}
COLUMNS = (Column("x", "number"), Column("count", "number"), Column("colour", "category"))


def settings_of(name, effort, rows=5000, columns=15, classes=2):
    return find_approach(name).settings(Workload(effort, rows, columns, classes))


def amounts_of(settings, path=()):
    """Each number, and each list's length, by its place; of nets all epochs together, and how many training runs they are of."""
    found = {}
    if "trained_folds" in settings:
        runs = settings["trained_folds"] * settings["repeats"]
        found[*path, "epochs of all nets"] = (runs * settings["epochs"], runs)
        settings = {name: value for name, value in settings.items() if name not in ("trained_folds", "repeats", "epochs")}
    for name, value in settings.items():
        if isinstance(value, dict) and name not in NOT_AN_AMOUNT:
            found |= amounts_of(value, (*path, name))
        elif name not in NOT_AN_AMOUNT:
            found[*path, name] = (len(value) if isinstance(value, list) else value, 0)
    return found


@given(efforts, efforts, amounts)
def test_between_and_beyond_the_points_amounts_only_grow(first, second, of_presets):
    less, more = sorted((first, second))
    assert scaled(less, *of_presets) <= scaled(more, *of_presets) * (1 + 1e-12)
    assert counted(less, *of_presets) <= counted(more, *of_presets)
    assert bounded(less, *of_presets) <= bounded(more, *of_presets) * (1 + 1e-12)
    assert of_presets[0] <= bounded(less, *of_presets) <= of_presets[2]
    assert nearest(less, {"fast": 0, "balanced": 1, "thorough": 2}) <= nearest(more, {"fast": 0, "balanced": 1, "thorough": 2})


@given(st.sampled_from(list(POINTS)), amounts)
def test_at_the_points_amounts_are_the_presets(preset, of_presets):
    effort, values = POINTS[preset], dict(zip(POINTS, of_presets, strict=True))
    assert scaled(effort, **values) == counted(effort, **values) == bounded(effort, **values) == values[preset]
    assert nearest(effort, values) == values[preset]
    assert name_of(effort) == point_name(effort) == preset


def test_presets_and_points_have_the_same_names():
    assert tuple(POINTS) == PRESETS and list(POINTS.values()) == sorted(POINTS.values())
    assert point_name(0.3) is None and name_of(0.3) == "effort 0.3"


def test_the_settings_at_the_points_are_those_that_were_benchmarked():
    """Recorded before there were efforts: settings are part of a cell's key."""
    assert settings_of("linear", 0.1) == {
        "tuning_rows": 5000, "C": {"l2": [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0], "l1": [0.01, 0.1, 1.0, 10.0]},
        "inner_folds": 3, "newton_steps": 20}
    assert settings_of("linear", 6.0, columns=301)["C"]["elastic net"] == [0.01, 0.1, 1.0, 10.0]
    assert settings_of("linear", 1.0, classes=3)["C"]["l1"] == [0.01, 0.0316, 0.1, 0.316, 1.0, 3.16]
    assert settings_of("xgboost", 1.0) == settings_of("lightgbm", 1.0) == {
        "work_seconds": 6.729, "inner_folds": 5, "inner_repeats": 1, "configurations": 5, "kept": 2, "screening_folds": 1,
        "most_rounds": 1500, "fewest_good_rounds": 120}
    assert settings_of("xgboost", 0.1, rows=62, classes=0)["work_seconds"] == 0.03
    assert settings_of("xgboost", 6.0, rows=200)["work_seconds"] == 1.425
    assert settings_of("forest", 0.1, classes=0) == {
        "trees": 50, "leaves": [3], "feature_shares": [0.33], "rows_per_tree": 25819, "trial_trees": 50, "trial_rows": 0}
    net = settings_of("mlp", 6.0)
    assert (net["trained_folds"], net["repeats"], net["epochs"], net["patience"]) == (5, 4, 50, 13)
    assert settings_of("linear+forest", 1.0)["selection"] == {"trees": 100, "rows_per_tree": 5000, "forest_cells": 12_000_000}
    recipe = preset_settings(1.0, 300_000, 2)
    assert (recipe["folds"], recipe["repeats"], recipe["epochs"], recipe["batch_rows"]) == (5, 2, 64, 1024)


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.integers(FEWEST_ROWS, 500_000), st.integers(1, 1600), st.sampled_from([0, 2, 3, 26]), efforts, efforts)
def test_more_effort_is_nowhere_less_work(rows, columns, classes, first, second):
    less, more = sorted((first, second))
    for approach in listed_approaches():
        small, large = (amounts_of(approach.settings(Workload(effort, rows, columns, classes))) for effort in (less, more))
        # The rows of a linear model's last fit are bounded below the fast preset alone.
        small = {place: amount for place, amount in small.items() if place[-1] != "fit_rows" or place in large}
        assert set(small) <= set(large), approach.name
        for place, (amount, _) in small.items():
            grown, rounded_away = large[place]
            assert amount <= grown + rounded_away, (approach.name, place)
    for selector in SELECTORS:
        small, large = (amounts_of(selector.settings(Workload(effort, rows, columns, classes))) for effort in (less, more))
        assert all(amount <= large[place][0] for place, (amount, _) in small.items()), selector.name


def test_with_little_work_a_linear_model_is_fitted_on_some_rows_of_a_long_table():
    rows = [settings_of("linear", effort, rows=1_000_000, columns=50).get("fit_rows") for effort in (0.01, 0.05, 0.1, 1.0)]
    assert rows[:2] == [40_000, 200_000] and rows[2:] == [None, None]
    assert settings_of("linear", 0.01, rows=1000)["fit_rows"] >= 5000


@given(st.integers(31, 500_000), st.sampled_from([0, 2, 26]), efforts, efforts)
@example(483_663, 26, 0.011, 0.38)
def test_more_effort_is_nowhere_less_work_for_a_net_of_its_own(rows, classes, first, second):
    small, large = (preset_settings(effort, rows, classes) for effort in sorted((first, second)))
    assert all(small[name] <= large[name] for name in ("folds", "repeats", "epochs"))
    assert small["epochs"] >= 8 and (rows <= 100 or small["folds"] >= 2)


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("name", ["linear", "linear+forest", "boosting", "xgboost", "lightgbm", "mlp", "forest", "blend"])
def test_a_little_more_effort_is_another_amount_of_work(name, classes):
    steps = [settings_of(name, effort, classes=classes) for effort in (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 6.0)]
    assert len({json.dumps(each) for each in steps}) == len(steps)


@given(st.integers(31, 500_000), st.integers(1, 1600), st.sampled_from([0, 2, 3, 26]), efforts)
def test_the_cheapest_forms_keep_to_their_floors(rows, columns, classes, effort):
    workload = Workload(effort, rows, columns, classes)
    linear = find_approach("linear").settings(workload)
    assert linear["inner_folds"] >= 2
    assert sum(map(len, linear["C"].values())) >= 4 if classes else linear["alphas"] >= 10
    assert find_approach("xgboost").settings(workload)["inner_folds"] >= 2
    assert find_approach("forest").settings(workload)["trees"] >= 20
    assert find_approach("mlp").settings(workload)["epochs"] >= 2
    composed = find_approach("linear+forest").settings(workload)
    # One hold-out does where it has rows enough to choose a number of features by.
    assert composed["trial_folds"] >= 2 or HOLDOUT * min(rows, composed["trial_rows"]) >= 300


def test_an_elastic_net_joins_the_grid_above_balanced():
    points = {effort: len(settings_of("linear", effort)["C"].get("elastic net", ())) for effort in LADDER}
    assert {effort for effort, count in points.items() if count} == {2.0, 3.0, 6.0, 20.0, 100.0}
    assert min(count for count in points.values() if count) >= 3 and points[6.0] == 11


def test_a_trial_of_features_is_never_dearer_than_the_fit():
    assert settings_of("linear+forest", 6.0)["trial"] == settings_of("linear", 0.1)
    assert settings_of("linear+forest", 0.02)["trial"] == settings_of("linear", 0.02)


@cache
def rows_of(kind):
    rng = np.random.default_rng(3)
    n = 260
    x, count = rng.normal(size=n), rng.poisson(3, size=n).astype(float)
    colour = rng.choice(["red", "green", "blue"], size=n)
    signal = 2 * x + (colour == "red") - 0.3 * count + rng.normal(size=n)
    x[::9] = np.nan
    target = signal if kind == "regression" else np.digitize(signal, [0.0] if kind == "binary" else [-1.5, 0.8]).astype(np.int64)
    return pd.DataFrame({"x": x, "count": count, "colour": pd.Categorical(colour)}), target


@pytest.mark.parametrize("kind", list(TASKS))
@pytest.mark.parametrize("name", sorted({*default_approaches(MOST_EFFORT), *(each.name for each in APPROACHES)}))
def test_the_cheapest_form_learns_and_predicts(name, kind):
    approach, task, (features, target) = find_approach(name), TASKS[kind], rows_of(kind)
    for package in approach.requires:
        pytest.importorskip(package)
    train, test = slice(0, 200), slice(200, None)
    view = fit_view(approach.view, features[train], COLUMNS, seed=5)
    settings = approach.settings(Workload(LEAST_EFFORT, 200, len(COLUMNS), task.n_classes))
    fitted = approach.fit(TrainingSet(view.transform(features[train]), target[train], task, settings, seed=1, shared_seed=2))
    predicted = fitted.predict(view.transform(features[test]))
    assert predicted.shape == ((60,) if kind == "regression" else (60, task.n_classes)) and np.isfinite(predicted).all()
    if name != "dummy":
        if kind == "regression":
            assert np.mean((predicted - target[test]) ** 2) < 0.9 * np.var(target[test])
        else:
            shares = np.bincount(target[train], minlength=task.n_classes) / 200
            assert -np.log(predicted[np.arange(60), target[test]]).mean() < -np.log(shares[target[test]]).mean()


@given(st.sampled_from(PRESETS))
def test_what_a_run_from_before_efforts_kept_is_read(preset):
    assert Options(**{"preset": preset}).checked().work == work_of(None, preset) == POINTS[preset]
