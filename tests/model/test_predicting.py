"""A restored model predicts as the fitted one did, and its predictions are written in the user's own words."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.approach import Approach
from tabbench.core.errors import BadData, TabbenchError
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.model import SavedModel, load_model, prediction_frame, restore_model, save_model
from tabbench.views import fit_view

NUMBER = Task("regression", (), "rmse", ("rmse",))
CLASSES = Task("multiclass", ("low", "mid", "high"), "log_loss", ("log_loss",))
FEATURES = pd.DataFrame({"age": [20.0, 30.0, 50.0]})
COLUMNS = (Column("age", "number"),)


class Line:
    """Slope times the first column of the linear view."""

    tuned: dict = {}  # noqa: RUF012
    incidents = ()

    def __init__(self, slope):
        self.slope = slope

    def predict(self, features):
        return features.values[:, 0] * self.slope

    def to_parts(self):
        return Parts(arrays={"slope": np.array(self.slope)})

    @classmethod
    def restore(cls, parts):
        return cls(parts.arrays["slope"][()])


def line_approach(**changes):
    fields = {"name": "line", "version": 1, "family": "linear", "cost_rank": 1, "view": "linear", "summary": "a line",
              "settings": lambda workload: {}, "fit": lambda training: Line(1.0), "restore": Line.restore}
    return Approach(**(fields | changes))


def saved_line(slope, task=NUMBER):
    view = fit_view("linear", FEATURES, COLUMNS, 0)
    return SavedModel("line", 1, task, COLUMNS, "linear", view.to_parts(), Line(slope).to_parts()), view


@pytest.mark.parametrize("form", ["model", "model.tabbench"])
def test_restored_model_predicts_bit_by_bit_the_same(tmp_path, form):
    saved, view = saved_line(np.pi)
    restored = restore_model(load_model(save_model(tmp_path / form, saved)), lambda name: line_approach(name=name))
    expected = Line(np.pi).predict(view.transform(FEATURES))
    assert restored.predict(FEATURES).tobytes() == expected.tobytes()
    assert restored.predict(FEATURES.iloc[:0]).shape == (0,)
    assert len(np.unique(expected)) == 3


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"version": 2}, "saved by version 1 of line and this tabbench has version 2"),
    ({"restore": None}, "an estimator of the user's own"),
])
def test_model_of_another_approach_is_refused(changes, sentence):
    with pytest.raises(BadData, match=sentence):
        restore_model(saved_line(1.0)[0], lambda name: line_approach(**changes))


@pytest.mark.parametrize(("slope", "task"), [(np.nan, NUMBER), (1.0, CLASSES)])
def test_predictions_of_a_wrong_kind_are_never_handed_on(slope, task):
    with pytest.raises(TabbenchError, match="instead of finite numbers of shape"):
        restore_model(saved_line(slope, task)[0], lambda name: line_approach()).predict(FEATURES)


def test_numbers_are_one_column():
    frame = prediction_frame(np.array([1.5, -2.0]), NUMBER)
    assert frame.to_dict("list") == {"prediction": [1.5, -2.0]}


def test_classes_get_a_label_and_a_probability_each():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1], [0.4, 0.2, 0.4]])
    frame = prediction_frame(probabilities, CLASSES)
    assert list(frame) == ["prediction", "probability_low", "probability_mid", "probability_high"]
    assert list(frame["prediction"]) == ["mid", "low", "low"]
    assert (frame.iloc[:, 1:].to_numpy() == probabilities).all()


def test_no_rows_give_no_rows():
    assert prediction_frame(np.empty((0, 3)), CLASSES).shape == (0, 4)


def test_carried_columns_come_first_and_keep_their_rows():
    carried = pd.DataFrame({"id": [7, 8], "prediction": ["x", "y"], "prediction (2)": [0, 1]}, index=[5, 3])
    frame = prediction_frame(np.array([1.0, 2.0]), NUMBER, carried)
    assert list(frame) == ["id", "prediction (2)", "prediction (2) (2)", "prediction"]
    assert frame["id"].tolist() == [7, 8]
    assert frame["prediction (2)"].tolist() == ["x", "y"]
    assert frame["prediction"].tolist() == [1.0, 2.0]
