"""The selectors of columns: what is kept, which columns of a frame."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tabbench.core.errors import BadOption
from tabbench.estimators.selection import ForestSelector, L1Selector, UnivariateSelector


def planted(n=400, seed=0):
    """Two columns that count, binary noise, continuous noise, and noise with a value a row."""
    generator = np.random.default_rng(seed)
    signal = np.column_stack([generator.normal(size=n), generator.integers(0, 2, n)])
    noise = np.column_stack([generator.integers(0, 2, (n, 4)), generator.normal(size=(n, 4)), generator.permutation(n)])
    return np.column_stack([signal, noise]), signal[:, 0] + 1.5 * signal[:, 1] + generator.normal(size=n)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_noise_with_many_values_is_not_kept(kind):
    X, score = planted()
    selector = ForestSelector(random_state=0).fit(X, score if kind == "numbers" else score > 0.75)
    assert set(selector.get_support(indices=True)) >= {0, 1}
    assert selector.get_support().sum() <= 4
    noise = selector.importances_[2:]
    assert np.abs(noise).max() < 0.3 * selector.importances_[:2].min()


@pytest.mark.parametrize("noise", [1, 3])
def test_a_few_columns_of_noise_are_told_from_signal(noise):
    """With few columns there may be no negative importance that says how large noise is."""
    kept = []
    for seed in range(4 - noise):
        generator = np.random.default_rng(seed)
        X = generator.normal(size=(150, 1 + noise))
        y = X[:, 0] + 0.5 * generator.normal(size=150) > 0
        support = ForestSelector(preset="fast", random_state=seed).fit(X, y).get_support()
        assert support[0]
        kept.extend(support[1:])
    assert np.mean(kept) <= 0.1


def test_an_effort_is_used_instead_of_the_preset():
    X, score = planted(100)
    fast, same, less = (ForestSelector(preset="fast", effort=effort, random_state=0).fit(X, score > 0).importances_
                        for effort in (None, 0.1, 0.02))
    assert np.array_equal(fast, same) and not np.array_equal(fast, less)
    with pytest.raises(BadOption, match=r"effort must be a number from 0\.01 to 100, not -1"):
        ForestSelector(effort=-1).fit(X, score > 0)


def test_noise_is_zero_on_average():
    means = [ForestSelector(preset="fast", random_state=seed).fit(X, score > 0).importances_[2:].mean()
             for seed in range(5) for X, score in [planted(150, seed)]]
    assert abs(np.mean(means)) < 0.01


@pytest.mark.parametrize(("n_features", "kept"), [(3, 3), (99, 11), (0.5, 6), (1.0, 11), (0.01, 1)])
def test_keeps_as_many_as_asked(n_features, kept):
    X, score = planted(100)
    selector = ForestSelector(n_features, preset="fast", random_state=0)
    assert selector.fit_transform(X, score > 0).shape == (100, kept)


@pytest.mark.parametrize("n_features", [0, 1.5, "all", True, -0.2, None])
def test_other_counts_are_refused(n_features):
    X, score = planted(30)
    with pytest.raises(BadOption, match=r"n_features is .*; give 'auto'"):
        ForestSelector(n_features).fit(X, score)


def test_frames_of_all_kinds_of_columns():
    generator = np.random.default_rng(1)
    n = 300
    colour = generator.choice(["red", "green", "blue", "grey"], n).astype(object)
    frame = pd.DataFrame({
        "noise": generator.normal(size=n),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 900, n), "D"),
        "colour": pd.Categorical(colour), "x": np.where(generator.random(n) < 0.1, np.nan, generator.normal(size=n)),
        "serial": [f"s{i}" for i in range(n)]})
    score = 2.0 * np.isin(colour, ["red", "grey"]) + frame["x"].fillna(0) + 0.3 * generator.normal(size=n)
    selector = ForestSelector(2, random_state=0).fit(frame, np.where(score > 1, "high", "low"))
    assert selector.get_feature_names_out().tolist() == ["colour", "x"]
    kept = selector.set_output(transform="pandas").transform(frame)
    pd.testing.assert_frame_equal(kept, frame[["colour", "x"]])


def test_infinity_is_refused_in_both_steps():
    X, score = planted(60)
    selector = ForestSelector(random_state=0).fit(X, score)
    X[7, 3] = np.inf
    for step in (lambda: selector.transform(X), lambda: ForestSelector().fit(X, score)):
        with pytest.raises(ValueError, match=r"infinity in column 'x3', row 7"):
            step()


def test_works_in_a_pipeline_and_is_the_same_with_the_same_seed():
    X, score = planted()
    model = make_pipeline(ForestSelector(preset="fast", random_state=0), LogisticRegression()).fit(X, score > 0.75)
    assert model.score(X, score > 0.75) > 0.75
    first, again = (ForestSelector(preset="fast", random_state=3).fit(X, score).importances_ for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_whole_numbers_of_many_values_are_amounts():
    X, y = planted(120)

    def importances(y, task="auto"):
        return ForestSelector(task=task, effort=0.02, random_state=0).fit(X, y).importances_

    amounts, grades = np.round(100 * y).astype(int), np.digitize(y, [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(importances(amounts), importances(amounts, "regression"))
    np.testing.assert_array_equal(importances(grades), importances(grades, "classification"))


@pytest.mark.parametrize("y", [np.array(["a", "b", None, np.nan] * 10, dtype=object), np.where(np.arange(40) == 3, np.nan, 1.5)])
def test_a_missing_target_is_refused(y):
    with pytest.raises(ValueError, match="contains NaN"):
        ForestSelector().fit(np.ones((40, 2)), y)


def test_frames_come_back_as_they_were():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"grade": pd.Categorical(rng.integers(0, 4, 80)), "small": rng.normal(size=80).astype("float32"),
                      "day": pd.date_range("2020", periods=80, tz="Europe/Paris"), "word": rng.choice(["p", "q"], 80)},
                     index=[f"row {place}" for place in range(80)])
    y = X["grade"].astype(int) > 1
    selector = ForestSelector(1.0, preset="fast", random_state=0).fit(X, y)
    pd.testing.assert_frame_equal(selector.transform(X), X, check_freq=False)
    kept = ForestSelector(1, preset="fast", random_state=0).fit(X, y).transform(X)
    pd.testing.assert_frame_equal(kept, X[["grade"]])
    assert isinstance(selector.set_output(transform="pandas").transform(X), pd.DataFrame)


def test_polars_frames_stay_polars():
    polars = pytest.importorskip("polars")
    X = polars.DataFrame({"x": np.arange(60.0), "word": ["p", "q"] * 30, "z": [1, 2, 3] * 20})
    kept = ForestSelector(3, preset="fast", random_state=0).fit(X, np.arange(60) > 30).transform(X)
    assert kept.schema == X.schema


@pytest.mark.parametrize(("selector", "expected"), [(L1Selector, ["signal", "other"]), (UnivariateSelector, ["copy", "signal"])])
def test_an_l1_path_passes_over_copies_that_each_column_alone_does_not(selector, expected):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"noise": rng.normal(size=300), "signal": rng.normal(size=300), "other": rng.normal(size=300)})
    X["copy"], y = X["signal"] + 0.1 * rng.normal(size=300), 3 * X["signal"] + X["other"] + rng.normal(size=300)
    chosen = selector(2, random_state=0).set_output(transform="polars").fit(X, y)
    assert sorted(chosen.get_feature_names_out()) == sorted(expected) == sorted(chosen.transform(X).columns)
