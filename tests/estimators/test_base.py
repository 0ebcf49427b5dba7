"""What public estimators share: reading X, y, weights and groups. Seen through an estimator that shows what it was given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

import tabbench
from tabbench.estimators.base import TabularClassifier, TabularRegressor


class Shown(TabularClassifier):
    """Keeps what `fit` read; its prediction is the class of lowest code."""

    def __init__(self, random_state=0, n_jobs=None):
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None, groups=None):
        self.rows_ = self._read_training(X, y, sample_weight, groups)
        self.matrix_ = self._fit_view("trees", self.rows_, self._seed())
        return self

    def predict_proba(self, X):
        matrix = self._matrix(X)
        return np.tile(np.eye(len(self.classes_))[0], (len(matrix), 1))

    def kinds(self):
        return {column.name: column.kind for column in self._columns}


class ShownRegressor(TabularRegressor):
    def fit(self, X, y):
        self.rows_ = self._read_training(X, y)
        return self


def frame(rows: int = 12) -> pd.DataFrame:
    index = np.arange(rows)
    values = pd.DataFrame({
        "number": index * 1.5, "whole": pd.array(index, dtype="Int64"), "category": pd.Categorical(index % 3),
        "label": np.where(index % 2 == 0, "a", "b"), "flag": index % 2 == 0,
        "maybe": pd.array([None, True, False] * (rows // 3), dtype="boolean"),
        "day": pd.date_range("2024-01-01", periods=rows), "span": pd.to_timedelta(index, unit="h"), "empty": [None] * rows})
    values.loc[0, ["number", "whole", "category", "label"]] = None
    return values


Y = np.array(["no", "yes"] * 6)


def test_every_kind_of_column_is_recognised():
    model = Shown().fit(frame(), Y)
    assert model.kinds() == {"number": "number", "whole": "number", "category": "category", "label": "category",
                             "flag": "boolean", "maybe": "boolean", "day": "date", "span": "number", "empty": "number"}
    assert model.rows_.features["span"].tolist()[:2] == [0.0, 3600.0]
    assert model.rows_.features["number"].isna().tolist() == [True] + [False] * 11
    assert list(model.feature_names_in_) == list(frame().columns)


def test_new_rows_are_read_as_in_training():
    model, new = Shown().fit(frame(), Y), frame()
    np.testing.assert_array_equal(model._matrix(new).values, model.matrix_.values)
    new["category"] = pd.Categorical([2] * 12)  # other levels, so other codes, but the same label
    position = model.matrix_.names.index("category")
    expected = model.matrix_.values[2, position]
    assert (model._matrix(new).values[:, position] == expected).all()


def test_what_was_not_seen_in_training_is_missing():
    model, new = Shown().fit(frame(), Y), frame()
    new["label"] = "never seen"
    assert np.isnan(model._matrix(new).values[:, model.matrix_.names.index("label")]).all()


def test_pandas_polars_and_numpy_agree():
    numbers = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0] * 3, "b": np.arange(12)})
    expected = Shown().fit(numbers, Y).matrix_.values
    same = (polars.from_pandas(numbers), numbers.to_numpy(), numbers.astype(object).to_numpy(), numbers.to_numpy().tolist(),
            numbers.astype("Float64"), numbers.astype("float32"))
    for X in same:
        model = Shown().fit(X, Y)
        np.testing.assert_array_equal(model.matrix_.values, expected)
        np.testing.assert_array_equal(model._matrix(X).values, expected)


def test_strings_in_an_array_are_labels():
    X = np.array([["a", 1.0], ["b", 2.0]] * 6, dtype=object)
    assert Shown().fit(X, Y).kinds() == {"x0": "category", "x1": "number"}


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_refused_by_column_and_row(bad):
    X = frame()
    X.loc[7, "number"] = bad
    with pytest.raises(ValueError, match=r"infinity in column 'number', row 7"):
        Shown().fit(X, Y)
    with pytest.raises(ValueError, match=r"infinity in column 'number', row 7"):
        Shown().fit(frame(), Y).predict(X)
    with pytest.raises(ValueError, match=r"infinity in column 'x1', row 2"):
        Shown().fit(np.where(np.arange(24).reshape(12, 2) == 5, bad, 1.0), Y)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(allow_infinity=False, allow_nan=True), min_size=12, max_size=12))
def test_finite_numbers_of_any_size_are_accepted(values):
    model = Shown().fit(np.array(values).reshape(-1, 1), Y)
    assert not np.isinf(model._matrix(np.array(values).reshape(-1, 1)).values).any()


def test_other_columns_than_in_training_are_refused():
    model = Shown().fit(frame(), Y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame().rename(columns={"number": "numbr"}))
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(frame()[frame().columns[::-1]])
    with pytest.raises(ValueError, match="'number' is no number"):
        model.predict(frame().assign(number="hello"))


def test_names_that_are_no_strings_are_not_compared():
    X = pd.DataFrame(np.arange(24.0).reshape(12, 2), columns=[2001, 2002])
    model = Shown().fit(X, Y)
    assert set(model.kinds()) == {"2001", "2002"}
    assert not hasattr(model, "feature_names_in_")
    assert len(model.predict(X.to_numpy())) == 12


@pytest.mark.parametrize("labels", [np.array([3, 7] * 6), np.array([True, False] * 6), np.array(["a", "b"] * 6),
                                    pd.Series(["a", "b"] * 6, dtype="category"), np.array([0.0, 1.0] * 6)])
def test_labels_keep_their_type(labels):
    model = Shown().fit(frame(), labels)
    assert model.classes_.dtype == np.unique(np.asarray(labels)).dtype
    assert set(model.predict(frame())) == {min(labels)}


def test_rows_of_weight_zero_are_as_if_they_were_not_there():
    weight = np.array([0.0, 2.0, 3.0] * 4)
    weighted = Shown().fit(frame(), Y, sample_weight=weight, groups=np.repeat(["a", "b", "c"], 4))
    without = Shown().fit(frame()[weight > 0], Y[weight > 0], sample_weight=weight[weight > 0])
    np.testing.assert_array_equal(weighted.matrix_.values, without.matrix_.values)
    assert weighted.rows_.weight.tolist() == without.rows_.weight.tolist()
    assert weighted.rows_.group.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]


def test_weights_of_one_are_no_weights():
    assert Shown().fit(frame(), Y, sample_weight=np.ones(12)).rows_.weight is None


@pytest.mark.parametrize(("X", "y", "message"), [
    (frame(), np.array(["a"] * 12), "only one class is present: y holds 'a' only"),
    (frame(), np.array(["a", None] * 6, dtype=object), "y contains NaN"),
    (frame(), np.arange(11), "inconsistent numbers of samples"),
    (frame().iloc[:3], np.array([0, 1, 0]), "minimum of 4 is required"),
    (frame().iloc[:0], np.empty(0), "0 sample"),
    (pd.DataFrame(index=range(12)), Y, "0 feature"),
    (np.arange(12.0), Y, "Reshape your data"),
    (np.ones((12, 2), dtype=complex), Y, "Complex data not supported"),
    (pd.DataFrame({"a": np.ones(12, dtype=complex)}), Y, "Complex data not supported"),
    (frame(), np.linspace(0, 1, 12), "Unknown label type"),
])
def test_what_cannot_be_learnt_from_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        Shown().fit(X, y)


def test_bad_weights_and_groups_are_refused():
    with pytest.raises(ValueError, match=r"[Nn]egative values"):
        Shown().fit(frame(), Y, sample_weight=-np.ones(12))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        Shown().fit(frame(), Y, groups=np.ones(3))


def test_a_regressor_refuses_an_infinite_target():
    with pytest.raises(ValueError, match="infinity"):
        ShownRegressor().fit(frame(), np.where(np.arange(12) == 3, np.inf, 1.0))
    assert ShownRegressor().fit(frame(), np.arange(12)).rows_.target.dtype == np.float64


def test_prediction_needs_a_fit():
    with pytest.raises(NotFittedError):
        Shown().predict(frame())


@pytest.mark.parametrize("model", [
    tabbench.BestApproachClassifier(approaches=["linear"]), tabbench.LogisticGridClassifier(),
    tabbench.BoostedEnsembleClassifier(effort=0.02), tabbench.GuardedMLPClassifier("fast", max_epochs=3)],
    ids=lambda model: type(model).__name__)
def test_a_class_without_weight_stays_among_the_classes(model):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model.fit(X, y, sample_weight=np.where(y == 1, 0.0, 1.0))
    assert model.classes_.tolist() == [0, 1, 2] and model.predict_proba(X).shape == (60, 3)
    assert (model.predict(X) != 1).all()
