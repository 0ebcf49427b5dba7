"""The net through its registered entry: learning, divergence survived, saving, and a caller's torch left as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tabbench.core.approach import APPROACHES, TrainingSet, Workload
from tabbench.core.errors import TabbenchError
from tabbench.core.matrices import NetMatrix
from tabbench.core.task import Task
from tabbench.nets.loss import Loss
from tabbench.nets.network import Network, Shape
from tabbench.nets.optimiser import FlatAdamW
from tabbench.nets.training import Recipe, Rows, forward, train

KINDS = ["binary", "multiclass", "regression"]
CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
QUICK = {"nets": 1, "epochs": 12, "batch_rows": 32, "hidden": [32, 32], "dropout": 0.1, "learning_rates": [5e-3],
         "weight_decay": 0.01}


def table(kind, rows=240, seed=0):
    """Three numbers, two of which interact, and a category that matters."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3)).astype(np.float32)
    codes = random.integers(1, 5, (rows, 1))
    signal = 2 * numbers[:, 0] + np.abs(numbers[:, 1]) + np.array([0, 2.0, -2, 1, -1])[codes[:, 0]] - 0.8
    target = {"binary": (signal > 0).astype(np.int64), "multiclass": np.digitize(signal, [-1.5, 1.5]).astype(np.int64),
              "regression": 1e6 + 1000.0 * signal.astype(np.float64)}[kind]
    return NetMatrix(numbers, codes, (5,), ("a", "b", "c", "kind")), target


def training_set(kind, rows=240, settings=None, **changes):
    matrix, target = table(kind, rows)
    metric = "rmse" if kind == "regression" else "log_loss"
    task = Task(kind, CLASSES[kind], metric, (metric,))
    return replace(TrainingSet(matrix, target, task, QUICK | (settings or {}), seed=5, shared_seed=6), **changes)


def fit(*arguments, **changes):
    return APPROACHES.get("mlp").fit(training_set(*arguments, **changes))


@pytest.mark.parametrize("kind", KINDS)
def test_learns_and_comes_back_bit_equal(kind):
    fitted = fit(kind, settings={"nets": 2})
    new, truth = table(kind, seed=1)
    new.codes[0, 0] = 0  # unseen
    predictions = fitted.predict(new)
    assert predictions.dtype == np.float64
    if kind == "regression":
        assert np.mean((truth - predictions) ** 2) < 0.3 * truth.var()
        assert predictions.max() <= table(kind)[1].max()
    else:
        assert np.mean(predictions.argmax(axis=1) == truth) > 0.7
        np.testing.assert_allclose(predictions.sum(axis=1), 1.0)
        stored = predictions.astype(np.float32)
        assert ((stored > 0) & (stored < 1)).all()
    restored = APPROACHES.get("mlp").restore(fitted.to_parts())
    assert restored.predict(new).tobytes() == predictions.tobytes()
    assert (restored.tuned, restored.incidents) == (fitted.tuned, fitted.incidents)


def test_same_seed_same_numbers_and_the_callers_torch_is_left_alone():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    before = torch.random.get_rng_state()
    matrix, _ = table("binary")
    first, second = (fit("binary").predict(matrix) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert first.tobytes() == second.tobytes()
    assert fit("binary", seed=6).predict(matrix).tobytes() != first.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_far_too_high_rate_is_survived_and_recorded(kind):
    fitted = fit(kind, settings={"learning_rates": [1e4]})
    assert fitted.incidents
    assert {incident.code for incident in fitted.incidents} <= {"non-finite-loss", "exploding-loss"}
    new, truth = table(kind, seed=1)
    predictions = fitted.predict(new)
    assert np.isfinite(predictions).all()
    if kind == "regression":
        assert np.mean((truth - predictions) ** 2) < truth.var()


def test_a_rate_beyond_the_budget_is_given_up_with_a_sentence():
    with pytest.raises(TabbenchError, match="net 1 still diverges after 8 roll-backs"):
        fit("binary", settings={"learning_rates": [1e30]})


def test_huge_inputs_are_harmless():
    training = training_set("binary")
    training.features.numbers[3, :] = 3e38
    fitted = APPROACHES.get("mlp").fit(training)
    assert np.isfinite(fitted.predict(training.features)).all()
    assert fitted.incidents == ()


def test_a_prediction_that_is_not_finite_is_never_returned():
    fitted = fit("binary")
    new, _ = table("binary", rows=3)
    new.numbers[1, 0] = np.nan
    with pytest.raises(TabbenchError, match="not finite"):
        fitted.predict(new)


def test_an_extreme_target_does_not_spread():
    training = training_set("regression")
    training.target[7] = 1e30
    assert np.isfinite(APPROACHES.get("mlp").fit(training).predict(training.features)).all()


def test_the_best_epochs_weights_are_restored():
    random = np.random.default_rng(0)
    numbers = torch.from_numpy(random.normal(size=(90, 8)).astype(np.float32))
    rows = Rows(numbers, torch.zeros((90, 0), dtype=torch.int64), torch.from_numpy(random.integers(0, 2, 90)), None)
    fit_rows, valid = rows.take(torch.arange(60)), rows.take(torch.arange(60, 90))
    generator = torch.Generator()
    generator.manual_seed(0)
    loss = Loss("log", 2)
    network = Network.drawn(Shape(8, (), (64,), 2), torch.zeros(2), generator)
    start = float(loss.mean(forward(network, valid.numbers, valid.codes), valid.target, None))
    # Labels are noise: every epoch overfits, so that the last one is far worse than the best.
    trained = train(network, fit_rows, valid, loss, Recipe(30, 16, 0.02, 0.0, 0.0), generator, "net 1")
    again = float(loss.mean(forward(trained.network, valid.numbers, valid.codes), valid.target, None))
    assert again == trained.loss <= start
    assert trained.best_epoch < 10


def test_rows_without_weight_do_not_count():
    training = training_set("regression", settings={"epochs": 40})
    target = training.target.copy()
    target[::2] += 20_000.0
    weight = np.tile([0.0, 1.0], 120)
    predictions = APPROACHES.get("mlp").fit(replace(training, target=target, weight=weight)).predict(training.features)
    assert np.abs(predictions - training.target).mean() < 1500


def test_the_rate_is_the_best_of_those_tried():
    fitted = fit("binary", settings={"learning_rates": [1e-7, 5e-3], "nets": 2})
    assert fitted.tuned["learning_rate"] == 5e-3
    assert fitted.tuned["nets"] == 2


def test_rows_in_time_have_one_net_that_stops_by_the_newest():
    assert fit("binary", settings={"nets": 3}, time=np.arange(240)).tuned["nets"] == 1


@pytest.mark.parametrize("numbers, codes", [(0, 1), (3, 0)])
def test_numbers_alone_and_categories_alone(numbers, codes):
    matrix, _ = table("binary")
    part = NetMatrix(matrix.numbers[:, :numbers], matrix.codes[:, :codes], (5,)[:codes], ("x",) * (numbers + codes))
    assert fit("binary", features=part).predict(part).shape == (240, 2)


@pytest.mark.parametrize("rows, columns, classes", [(62, 15, 2), (40_000, 15, 2), (400_000, 42, 23), (3000, 1617, 2)])
@pytest.mark.parametrize("preset", ["fast", "balanced", "thorough"])
def test_settings_are_sensible_at_every_shape(preset, rows, columns, classes):
    settings = APPROACHES.get("mlp").settings(Workload(preset, rows, columns, classes))
    assert settings["nets"] >= 1
    assert settings["epochs"] >= 2


def test_the_flat_optimiser_steps_as_torch_does():
    shapes, decay = [(7, 5), (5,), (5, 3), (3,)], 0.1
    start = [torch.randn(shape, generator=torch.Generator().manual_seed(place)) for place, shape in enumerate(shapes)]
    ours, theirs = ([each.clone().requires_grad_(True) for each in start] for _ in range(2))
    flat = FlatAdamW(ours, decay)
    groups = [{"params": [theirs[0], theirs[2]], "weight_decay": decay}, {"params": [theirs[1], theirs[3]], "weight_decay": 0.0}]
    torchs = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
    inputs = torch.randn((20, 7), generator=torch.Generator().manual_seed(9))
    for _ in range(30):
        for parameters, optimiser in ((ours, flat), (theirs, torchs)):
            optimiser.zero_grad()
            hidden = torch.tanh(inputs @ parameters[0] + parameters[1])
            ((hidden @ parameters[2] + parameters[3]) ** 2).mean().backward()
        flat.step(0.01)
        torchs.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
@pytest.mark.parametrize("kind", KINDS)
def test_trains_on_a_gpu_and_predicts_without_one(kind):
    fitted = fit(kind, settings={"nets": 2}, device="cuda")
    new, truth = table(kind, seed=1)
    predictions = fitted.predict(new)
    if kind == "regression":
        assert np.mean((truth - predictions) ** 2) < 0.3 * truth.var()
    else:
        assert np.mean(predictions.argmax(axis=1) == truth) > 0.7
    restored = APPROACHES.get("mlp").restore(fitted.to_parts())
    assert restored.predict(new).tobytes() == predictions.tobytes()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_far_too_high_rate_is_survived_on_a_gpu_too():
    fitted = fit("binary", settings={"learning_rates": [1e6]}, device="cuda")
    assert fitted.incidents
    assert np.isfinite(fitted.predict(table("binary", seed=1)[0])).all()
