"""A saved guarded net predicts the same, bit for bit, holds no pickle, and says what it cannot do."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pandas as pd
import pytest
import torch

import tabbench
from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadData, BadOption, MissingExtra
from tabbench.model import load_model, save_model

QUICK = {"preset": "fast", "max_epochs": 3, "folds": 2, "random_state": 0, "device": "cpu"}


def mixed(rows: int = 150) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with gaps, a category with few levels and one with many."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"a": random.normal(size=rows), "b": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
                      "few": random.choice(["x", "y", "z"], rows), "many": random.choice([f"l{n}" for n in range(15)], rows)})
    return X, X["a"].to_numpy() + (X["few"] == "x")


def labels(kind: str, y: np.ndarray) -> np.ndarray:
    return {"text": np.where(y > 0.5, "yes", np.where(y > -0.5, "maybe", "no")), "bool": y > 0,
            "int": (y > 0).astype(int) + 2**53}[kind]


class Small(torch.nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(torch.nn.Linear(inputs, 6), torch.nn.BatchNorm1d(6), torch.nn.Tanh(), torch.nn.Linear(6, outputs))


def same(model, loaded, X):
    assert np.array_equal(model.predict(X), loaded.predict(X))
    if hasattr(model, "classes_"):
        assert loaded.classes_.dtype == model.classes_.dtype and np.array_equal(loaded.classes_, model.classes_)
        assert np.array_equal(model.predict_proba(X), loaded.predict_proba(X))


@pytest.mark.parametrize("knob", [{"hidden_sizes": (8,), "batch_norm": True}, {"early_stopping": False, "max_seconds": 60.0},
                                  {"learning_rate": np.float64(0.05), "betas": [0.8, 0.9]}])
@pytest.mark.parametrize("name", ["net.tabbench", "net"])
def test_a_loaded_regressor_is_the_one_that_was_saved(tmp_path, knob, name):
    X, y = mixed()
    model = GuardedMLPRegressor(**QUICK | knob).fit(X, y)
    loaded = GuardedMLPRegressor.load(model.save(tmp_path / name))
    same(model, loaded, X)
    assert loaded.get_params() == model.get_params()
    assert {name for name in vars(model) if name.endswith("_")} == {name for name in vars(loaded) if name.endswith("_")}
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    assert loaded.incidents_ == model.incidents_ and loaded.fit(X, y).n_iter_ == model.n_iter_


@pytest.mark.parametrize("kind", ["text", "bool", "int"])
def test_a_loaded_classifier_keeps_its_labels_and_predict_reads_it(tmp_path, kind):
    X, y = mixed()
    weights = {label: float(1 + place) for place, label in enumerate(np.unique(labels(kind, y)).tolist())}
    model = GuardedMLPClassifier(class_weight=weights, **QUICK).fit(X, labels(kind, y))
    loaded = GuardedMLPClassifier.load(model.save(tmp_path / "net"))
    same(model, loaded, X)
    assert loaded.class_weight == weights
    frame, _ = tabbench.predict(tmp_path / "net", X)
    np.testing.assert_allclose(frame.iloc[:, 1:].to_numpy(), model.predict_proba(X), atol=1e-5)


def test_an_ensemble_of_recipes_is_saved_as_a_whole(tmp_path):
    X, y = mixed()
    model = GuardedMLPRegressor(**QUICK | {"preset": "thorough"}).fit(X, y)
    same(model, GuardedMLPRegressor.load(model.save(tmp_path / "net")), X)
    np.testing.assert_allclose(model.module_(model.encode(X)).detach().numpy(), model.predict(X), rtol=1e-4, atol=1e-5)


def test_training_can_go_on_after_loading(tmp_path):
    X, y = mixed()
    model = GuardedMLPRegressor(warm_start=True, **QUICK).fit(X, y)
    loaded = GuardedMLPRegressor.load(model.save(tmp_path / "net"))
    assert np.array_equal(loaded.fit(X, y).predict(X), model.fit(X, y).predict(X))
    assert loaded.n_iter_ == 6


def test_an_architecture_of_ones_own_comes_back_with_its_module(tmp_path):
    X, y = mixed()
    model = GuardedMLPRegressor(module=Small, **QUICK).fit(X, y)
    place = model.save(tmp_path / "net")
    same(model, GuardedMLPRegressor.load(place, module=Small), X)
    with pytest.raises(BadOption, match="`load` with the `module`"):
        GuardedMLPRegressor.load(place)
    with pytest.raises(BadOption, match="`load` with the `module`"):
        tabbench.predict(place, X)
    with pytest.raises(BadOption, match="numbers"):
        GuardedMLPRegressor.load(place, module=torch.nn.Linear)


def test_functions_are_left_out_and_may_be_given_again(tmp_path):
    X, y = mixed()
    loss = functools.partial(lambda o, t, power: (o[:, 0] - t).abs() ** power, power=1.5)
    place = GuardedMLPRegressor(loss=loss, callbacks=[], **QUICK).fit(X, y).save(tmp_path / "net")
    assert GuardedMLPRegressor.load(place).loss is None
    assert GuardedMLPRegressor.load(place, loss=loss).loss is loss


def test_another_class_and_a_damaged_file_are_refused(tmp_path):
    X, y = mixed()
    place = GuardedMLPRegressor(**QUICK).fit(X, y).save(tmp_path / "net.tabbench")
    with pytest.raises(BadData, match=r"holds a GuardedMLPRegressor; call GuardedMLPRegressor\.load"):
        GuardedMLPClassifier.load(place)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(BadData):
        GuardedMLPRegressor.load(place)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    X, y = mixed(60)
    return load_model(GuardedMLPClassifier(**QUICK).fit(X, labels("text", y)).save(tmp_path_factory.mktemp("saved") / "net"))


@pytest.mark.parametrize(("part", "name", "value"), [
    (None, "fitted", None), (None, "parameters", []), ("parameters", "predict", 1), ("parameters", "betas", {}),
    ("parameters", "betas", {"tuple": 5}), ("parameters", "betas", {"other": []}), ("fitted", "predict", 1),
    ("fitted", "_model", 1), ("fitted", "extra_", 1), ("fitted", "classes_", {"array": ["no"], "dtype": "|O"}),
    ("fitted", "classes_", None), ("fitted", "classes_", {"array": [300], "dtype": "|u1"}),
    ("fitted", "classes_", {"array": ["no"]}), ("fitted", "incidents_", {"list": [1]}), ("fitted", "history_", {"frame": [1]}),
    ("fitted", "n_iter_", "x")])
def test_a_description_that_was_changed_is_a_sentence(saved, tmp_path, part, name, value):
    crafted = copy.deepcopy(saved)
    described = crafted.model.children["estimator"].values
    (described if part is None else described[part])[name] = value
    with pytest.raises(BadData, match="parts of the saved GuardedMLPClassifier model don't fit"):
        GuardedMLPClassifier.load(save_model(tmp_path / "net", crafted))


@pytest.mark.parametrize("name", ["incidents_", "classes_", "history_"])
def test_a_description_that_lacks_an_attribute_is_a_sentence(saved, tmp_path, name):
    crafted = copy.deepcopy(saved)
    del crafted.model.children["estimator"].values["fitted"][name]
    with pytest.raises(BadData, match="parts of the saved GuardedMLPClassifier model don't fit"):
        GuardedMLPClassifier.load(save_model(tmp_path / "net", crafted))


@pytest.mark.parametrize("values", [[], {}, {"class": None}, {"class": ["x"]}])
def test_a_description_without_a_class_is_a_sentence(saved, tmp_path, values):
    crafted = copy.deepcopy(saved)
    object.__setattr__(crafted.model.children["estimator"], "values", values)
    with pytest.raises(BadData):
        GuardedMLPClassifier.load(save_model(tmp_path / "net", crafted))


@pytest.mark.parametrize("knob", [{}, {"batch_norm": True, "hidden_sizes": (8, 8)}, {"module": Small}])
def test_the_module_predicts_what_the_estimator_predicts(knob):
    X, y = mixed()
    classifier = GuardedMLPClassifier(**QUICK | knob).fit(X, labels("text", y))
    regressor = GuardedMLPRegressor(**QUICK | knob).fit(X, 1e3 + y)
    for model, wanted in ((classifier, classifier.predict_proba(X)), (regressor, regressor.predict(X))):
        module = model.module_
        assert not module.training
        given = module.double()(model.encode(X).double()).detach().numpy()
        np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


def test_onnx_gives_the_same_numbers(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    X, y = mixed()
    classifier = GuardedMLPClassifier(**QUICK).fit(X, labels("text", y))
    regressor = GuardedMLPRegressor(**QUICK, batch_norm=True).fit(X, y)
    for model, wanted in ((classifier, classifier.predict_proba(X)), (regressor, regressor.predict(X))):
        session = runtime.InferenceSession(model.to_onnx(tmp_path / "net.onnx"))
        for rows in (X, X[:1]):
            given, = session.run(["prediction"], {"encoded": model.encode(rows).numpy()})
            np.testing.assert_allclose(given, wanted[:len(rows)], rtol=1e-4, atol=1e-5)


def test_without_the_package_onnx_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    X, y = mixed()
    monkeypatch.setattr("tabbench.estimators.guarded_tools.why_it_does_not_load", lambda package: "it is not there")
    with pytest.raises(MissingExtra, match="pip install onnx onnxscript"):
        GuardedMLPRegressor(**QUICK).fit(X, y).to_onnx(tmp_path / "net.onnx")
