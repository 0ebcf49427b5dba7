"""The guarded net's knobs: each does what it says, refuses what it cannot mean, and leaves the caller's torch alone."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadOption

pytestmark = pytest.mark.filterwarnings("ignore::tabbench.core.errors.TrainingWarning")
QUICK = {"preset": "fast", "max_epochs": 15, "folds": 1, "random_state": 0, "device": "cpu"}


def table(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2]


def regressor(**parameters: object) -> GuardedMLPRegressor:
    return GuardedMLPRegressor(**(QUICK | parameters))


def classifier(**parameters: object) -> GuardedMLPClassifier:
    return GuardedMLPClassifier(**(QUICK | parameters))


def spread_of_weights(model: object) -> float:
    return float(np.mean([np.abs(weights).mean() for weights in model._model.weights_by_layer().values()]))


BASE = regressor().fit(*table())


@pytest.mark.parametrize("knob", [
    {"learning_rate": 0.01}, {"schedule": "constant"}, {"schedule": "warm-up"}, {"schedule": "one-cycle"}, {"schedule": "step"},
    {"schedule": "plateau"}, {"schedule": "coslog4"}, {"optimizer": "sgd"}, {"hidden_sizes": (20,)}, {"activation": "relu"},
    {"activation": "selu"}, {"activation": "mish"}, {"activation": "tanh"}, {"initialization": "xavier"},
    {"initialization": "truncated_normal"}, {"initialization": "orthogonal"}, {"initialization": "data"}, {"activation": "gelu"},
    {"activation": "leaky_relu"}, {"optimizer": "sgd", "momentum": 0.5}, {"betas": (0.8, 0.99)},
    {"batch_size": 16}, {"weight_decay": 5.0},
    {"weight_decay": 5.0, "decay_schedule": "late"}, {"l1": 0.01}, {"l2": 0.1}, {"dropout": 0.5}, {"batch_norm": True},
    {"mixup": 0.4}, {"noise": 0.3}, {"clip": 0.05}, {"clip": "auto"}, {"loss": "absolute"}, {"loss": "huber"}, {"folds": 3},
    {"validation_fraction": 0.4}, {"early_stopping": False}, {"max_epochs": 4}, {"random_state": 1}])
def test_every_knob_changes_the_net_and_it_still_learns(knob):
    X, y = table()
    model = regressor(**knob).fit(X, y)
    assert not np.array_equal(model.predict(X), BASE.predict(X))
    assert model.score(X, y) > 0.3
    assert {incident.code for incident in model.incidents_} <= {"O01", "O10"}


@pytest.mark.parametrize("knob, lower", [({"l1": 0.02}, True), ({"l2": 0.2}, True), ({"weight_decay": 5.0}, True)])
def test_penalties_make_weights_smaller(knob, lower):
    assert (spread_of_weights(regressor(**knob).fit(*table())) < spread_of_weights(BASE)) == lower


@pytest.mark.parametrize("knob, match", [
    ({"preset": "best"}, "preset"), ({"effort": 1000}, "effort"), ({"learning_rate": -1.0}, "learning_rate"),
    ({"learning_rate": np.nan}, "learning_rate"),
    ({"schedule": "linear"}, "schedule"), ({"optimizer": "lbfgs"}, "optimizer"), ({"activation": "gelu6"}, "activation"),
    ({"batch_size": 0}, "batch_size"), ({"max_epochs": 0}, "max_epochs"), ({"validation_fraction": 0.9}, "validation_fraction"),
    ({"dropout": 1.0}, "dropout"), ({"mixup": -0.1}, "mixup"), ({"clip": "none"}, "clip"), ({"device": "tpu"}, "device"),
    ({"loss": "hinge"}, "loss"), ({"loss": {}}, "loss"), ({"hidden_sizes": (0,)}, "hidden_sizes"), ({"folds": 0}, "folds"),
    ({"initialization": "zeros"}, "initialization"), ({"decay_schedule": "never"}, "decay_schedule")])
def test_what_a_knob_cannot_mean_is_refused_by_name(knob, match):
    with pytest.raises((BadOption, ValueError), match=match):
        regressor(**knob).fit(*table(60))


def test_batches_of_another_size_scale_the_presets_rate():
    X, y = table()
    own = regressor().fit(X, y).learning_rate_
    assert regressor(batch_size=128).fit(X, y).learning_rate_ == pytest.approx(own * 2)  # 32 rows are the preset's
    assert regressor(batch_size=128, learning_rate=0.02).fit(X, y).learning_rate_ == 0.02
    sgd = regressor(optimizer="sgd").fit(X, y).learning_rate_
    assert regressor(optimizer="sgd", batch_size=64).fit(X, y).learning_rate_ == pytest.approx(2 * sgd)


def test_the_rate_is_searched_for_over_all_decades():
    model = regressor(learning_rate="search").fit(*table())
    rates = model.rates_tried_.set_index("learning_rate")["loss"]
    assert len(rates) == 8
    assert rates.index.is_monotonic_decreasing
    assert model.learning_rate_ == max(rate for rate, loss in rates.items() if loss <= 1.05 * rates.min())
    assert model.score(*table()) > 0.9


def test_the_range_test_rises_until_the_loss_blows_up():
    found = regressor(activation="relu").learning_rate_range_test(*table())
    assert found["learning_rate"].is_monotonic_increasing
    assert found["learning_rate"].iloc[0] == pytest.approx(1e-7)
    assert found["loss"].iloc[-1] > found["loss"].min()


def test_classes_and_rows_may_weigh_more():
    X, y = table()
    rare = y > 2.0
    plain, balanced = (classifier(class_weight=weight).fit(X, rare).predict_proba(X)[:, 1] for weight in (None, "balanced"))
    assert balanced.mean() > 1.5 * plain.mean()
    by_dict = classifier(class_weight={False: 1.0, True: 5.0}).fit(X, rare).predict_proba(X)[:, 1]
    by_rows = classifier().fit(X, rare, sample_weight=np.where(rare, 5.0, 1.0)).predict_proba(X)[:, 1]
    np.testing.assert_allclose(by_dict, by_rows, rtol=1e-6)


def test_several_losses_add_up_by_their_weights():
    X, y = table()
    both = regressor(loss={"squared": 1.0, lambda outputs, target: outputs[:, 0] * 0 + 1.0: 2.0}).fit(X, y)
    np.testing.assert_allclose(both.predict(X), BASE.predict(X), rtol=1e-3, atol=1e-3)  # a constant has no slope
    assert both.best_loss_ == pytest.approx(BASE.best_loss_ + 2.0, rel=1e-3)


def test_smoothed_labels_make_a_less_certain_net():
    X, y = table()
    plain, smoothed = (classifier(label_smoothing=share, max_epochs=30).fit(X, y > 0).predict_proba(X).max(axis=1).mean()
                       for share in (0.0, 0.3))
    assert smoothed < plain - 0.03


def test_a_net_that_underfits_grows():
    X, y = table(400)
    narrow, grown = (regressor(hidden_sizes=(2,), grow=grow, max_epochs=25).fit(X, y) for grow in (False, True))
    assert grown.best_loss_ < 0.95 * narrow.best_loss_
    assert len(grown._model.weights_by_layer()["weight0"]) > len(narrow._model.weights_by_layer()["weight0"])


class Recorder:
    """Writes down what it hears, and stops."""

    def __init__(self, last: int) -> None:
        self.events: list[str] = []
        self.last = last

    def on_fit_start(self, state: object) -> None:
        self.events.append("start")

    def on_epoch_end(self, state: object) -> None:
        self.events.append(f"epoch {state.epoch}")
        assert state.history[-1]["epoch"] == state.epoch
        if state.epoch == self.last:
            state.stop()

    def on_incident(self, incident: object) -> None:
        self.events.append(incident.code)

    def on_fit_end(self, state: object) -> None:
        self.events.append("end")


def test_callbacks_hear_everything_and_may_stop():
    recorder = Recorder(3)
    model = regressor(callbacks=[recorder]).fit(*table())
    assert recorder.events == ["start", "epoch 1", "epoch 2", "epoch 3", "end"]
    assert model.n_iter_ == 3
    recorder = Recorder(99)
    regressor(callbacks=[recorder], learning_rate=1e8).fit(*table())
    assert "O01" in recorder.events


def test_history_says_what_happened_in_each_epoch_of_each_net():
    model = regressor(folds=3).fit(*table())
    assert set(model.history_["net"]) == {1, 2, 3}
    assert set(model.history_["path"]) == {"stacked"}
    assert set(BASE.history_["path"]) == {"plain"}
    assert (model.history_["gradient_norm"] > 0).all()
    assert model.history_["learning_rate"].iloc[-1] < 1e-3 * model.history_["learning_rate"].max()
    assert 0 < model.guard_overhead_ < 0.9
    assert 1 <= model.best_epoch_ <= model.n_iter_ <= 15


def test_a_pickle_holds_no_training_rows_and_no_optimiser():
    small, large = (regressor(hidden_sizes=(16,)).fit(*table(rows)) for rows in (300, 3000))
    sizes = [len(pickle.dumps(model)) for model in (small, large)]
    assert sizes[1] < 1.5 * sizes[0] + 20_000
    X, _ = table(20, seed=3)
    again = pickle.loads(pickle.dumps(small))
    assert again.predict(X).tobytes() == small.predict(X).tobytes()


def test_the_callers_torch_is_left_alone():
    torch.manual_seed(3)
    before, threads, kind = torch.random.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    state = np.random.get_state()[1].copy()
    regressor(n_jobs=1, mixup=0.2).fit(*table())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, kind)
    assert np.array_equal(np.random.get_state()[1], state)


def test_the_thorough_preset_weighs_several_recipes():
    X, y = table()
    model = GuardedMLPRegressor("thorough", max_epochs=6, random_state=0, device="cpu").fit(X, y)
    assert len(model.history_["recipe"].unique()) > 2
    assert sum(model._model.tuned["recipes"].values()) == pytest.approx(1.0, abs=1e-3)
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("effort, has_recipes", [(2.9, False), (3.0, True)])
def test_an_effort_is_used_instead_of_the_preset(effort, has_recipes):
    X, y = table()
    model = GuardedMLPRegressor("fast", effort=effort, max_epochs=2, folds=2, random_state=0, device="cpu").fit(X, y)
    assert ("recipe" in model.history_) == has_recipes
    assert not has_recipes or len(model.history_["recipe"].unique()) > 2


def test_plots_show_what_the_history_and_the_weights_hold():
    figure = BASE.plot_training()
    assert [axis.get_title() for axis in figure.axes][:3] == ["loss", "learning rate", "gradient norm"]
    assert len(BASE.plot_weights().axes) >= 4


def test_without_a_gpu_asking_for_one_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(BadOption, match="no GPU"):
        regressor(device="cuda").fit(*table(60))


def test_sigmoid_is_allowed_with_a_word():
    assert regressor(activation="sigmoid").fit(*table()).incidents_[0].code == "A01"


def test_rows_in_another_order_give_the_same_net():
    X, y = table()
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(regressor().fit(X[order], y[order]).predict(X), BASE.predict(X))


def test_frames_keep_their_labels():
    X, y = table()
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(300) * 10)
    assert list(regressor(max_epochs=2).fit(frame, y).feature_names_in_) == list("abcd")
