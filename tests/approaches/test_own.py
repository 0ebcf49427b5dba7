"""A user's own estimator: raw frame, original labels, seeds, weights."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tabbench.approaches.own import own_approach
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.errors import BadOption
from tabbench.core.task import Task

FRAME = pd.DataFrame({"x": np.linspace(-1, 1, 60), "z": np.cos(np.arange(60.0))})
CODES = (FRAME["x"] > 0).to_numpy().astype(np.int64)


def training(classes=("no", "yes"), **changes):
    task = Task("binary", classes, "log_loss", ("log_loss",))
    given = {"features": FRAME, "target": CODES, "task": task, "settings": {}, "seed": 17, "shared_seed": 1}
    return TrainingSet(**given | changes)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it is given; knows its classes in reverse order."""

    def fit(self, X, y):
        self.seen_ = X, y
        self.classes_ = np.array(sorted(set(y), reverse=True), dtype=object)
        return self

    def predict_proba(self, X):
        return np.tile([0.9, 0.1], (len(X), 1))

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize(("classes", "kind"), [(("no", "yes"), str), (("1", "2"), int), (("0.5", "2"), float)])
def test_gets_the_frame_and_the_labels_as_they_were(classes, kind):
    fitted = own_approach("mine", Recorder()).fit(training(classes))
    features, labels = fitted.estimator.seen_
    pd.testing.assert_frame_equal(features, FRAME)
    assert {kind(label) for label in labels} == {kind(each) for each in classes}
    assert isinstance(labels[0].item() if hasattr(labels[0], "item") else labels[0], kind)
    assert fitted.predict(FRAME)[0].tolist() == [0.1, 0.9]  # in the task's order


@pytest.mark.parametrize("classes", [("01", "1"), ("1.0", "1"), ("1e3", "1000"), ("1", "nan"), ("0", "inf"),
                                     (str(2**70), str(2**70 + 1))])
def test_labels_stay_as_they_were_where_numbers_would_mix_them_up(classes):
    fitted = own_approach("mine", DecisionTreeClassifier()).fit(training(classes))
    assert set(fitted.estimator.classes_) == set(classes)
    assert (fitted.predict(FRAME).argmax(axis=1) == CODES).all()


def test_every_open_seed_is_set_and_the_users_object_stays_as_it_was():
    mine = make_pipeline(StandardScaler(), RandomForestClassifier(5))
    approach = own_approach("mine", mine)
    first, second = approach.fit(training()), approach.fit(training())
    assert first.estimator[-1].random_state == 17
    assert mine[-1].random_state is None
    assert not hasattr(mine[-1], "estimators_")
    assert first.predict(FRAME).tobytes() == second.predict(FRAME).tobytes()
    fixed = own_approach("mine", RandomForestClassifier(5, random_state=3)).fit(training())
    assert fixed.estimator.random_state == 3


def test_weights_reach_the_last_step_and_are_left_out_where_nobody_takes_them():
    weight = np.where(CODES == 1, 100.0, 1.0)
    approach = own_approach("mine", make_pipeline(StandardScaler(), make_pipeline(LogisticRegression())))
    weighted, unweighted = approach.fit(training(weight=weight)), approach.fit(training())
    assert weighted.tuned == {"weighted": True}
    assert weighted.predict(FRAME)[:, 1].mean() > unweighted.predict(FRAME)[:, 1].mean()
    assert own_approach("mine", KNeighborsClassifier()).fit(training(weight=weight)).tuned == {"weighted": False}


def test_a_classifier_without_probabilities_is_as_sure_as_its_rows_allow():
    prediction = own_approach("mine", LinearSVC()).fit(training()).predict(FRAME)
    assert sorted(set(prediction.ravel().round(9))) == [round(1 / 62, 9), round(61 / 62, 9)]
    assert prediction[-1, 1] > 0.9


def test_numbers_are_predicted_as_numbers():
    task = Task("regression", (), "rmse", ("rmse",))
    fitted = own_approach("mine", LinearRegression()).fit(training(task=task, target=FRAME["x"].to_numpy() * 2))
    np.testing.assert_allclose(fitted.predict(FRAME), FRAME["x"] * 2, atol=1e-9)


def test_the_settings_tell_estimators_apart():
    workload = Workload(0.1, 60, 2, 2)
    near, far = (own_approach("mine", KNeighborsClassifier(k)).settings(workload) for k in (3, 9))
    assert near != far
    assert near == own_approach("mine", KNeighborsClassifier(3)).settings(workload)


def test_what_is_no_estimator_and_what_cannot_be_exported_is_said():
    for thing in (42, RandomForestClassifier):
        with pytest.raises(BadOption, match="'mine' is no scikit-learn estimator"):
            own_approach("mine", thing)
    approach = own_approach("mine", LinearSVC())
    assert approach.restore is None
    with pytest.raises(BadOption, match="cannot be exported"):
        approach.fit(training()).to_parts()
