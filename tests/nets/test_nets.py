"""The net through its registered entry: learning, divergence survived, saving, and a caller's torch left as it was."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tabbench.core.approach import APPROACHES, TrainingSet, Workload
from tabbench.core.errors import TabbenchError
from tabbench.core.matrices import NetMatrix
from tabbench.core.side_by_side import SideBySide
from tabbench.core.task import Task
from tabbench.nets.draws import FIRST_WEIGHTS, Draws
from tabbench.nets.dropout import DrawnDropout
from tabbench.nets.encoding import ENCODED_SCALE, NetEncoding
from tabbench.nets.initialisation import initialise
from tabbench.nets.loss import Loss
from tabbench.nets.model import DEFAULT_OPTIONS
from tabbench.nets.network import Members, NetShape
from tabbench.nets.optimisers import CpuAdam, FlatAdam, FlatSGD
from tabbench.nets.recipe import Recipe
from tabbench.nets.rows import DeviceRows
from tabbench.nets.steps import Stepper, accept_finite
from tabbench.nets.training import Training
from tabbench.nets.training_options import TrainingOptions

KINDS = ["binary", "multiclass", "regression"]
CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
QUICK = {"folds": 5, "trained_folds": 1, "repeats": 1, "epochs": 12, "batch_rows": 32, "hidden": [32, 32], "dropouts": [0.1],
         "bins": 8, "learning_rate": 0.04, "weight_decay": 1.0}


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
    fitted = fit(kind, settings={"trained_folds": 2})
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
    assert fit("binary", shared_seed=7).predict(matrix).tobytes() != first.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_far_too_high_rate_is_survived_and_recorded(kind):
    fitted = fit(kind, settings={"learning_rate": 1e5})
    assert fitted.incidents
    assert {incident.code for incident in fitted.incidents} <= {"O01", "O02"}
    new, truth = table(kind, seed=1)
    predictions = fitted.predict(new)
    assert np.isfinite(predictions).all()
    if kind == "regression":
        assert np.mean((truth - predictions) ** 2) < truth.var()


def test_no_rate_is_too_high_to_be_survived():
    fitted = fit("binary", settings={"learning_rate": 1e30})
    new, truth = table("binary", seed=1)
    assert np.mean(fitted.predict(new).argmax(axis=1) == truth) > 0.8
    assert fitted.incidents[0].code == "O01"


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


LOG_LOSS = Loss("log", 2)


def noise(poisoned=None, options=DEFAULT_OPTIONS, loss=LOG_LOSS, **knobs):
    """A training of two members on rows whose labels are noise; those of the member's fit part may be poisoned."""
    random = np.random.default_rng(0)
    numbers = torch.from_numpy(random.normal(size=(90, 8)).astype(np.float32))
    if poisoned is not None:
        numbers[poisoned] = torch.nan
    rows = DeviceRows(numbers, lambda _: numbers, torch.zeros((90, 0), dtype=torch.int64),
                torch.from_numpy(random.integers(0, 2, 90)), None)
    folds = [(torch.arange(40), torch.arange(70, 90)), (torch.arange(40, 70), torch.arange(70, 90))]
    draws = Draws(0, "cpu")
    members = Members.empty(NetShape(8, (), (64,), 2), 2, "cpu")
    initialise(members, "kaiming", torch.zeros(2, 2), draws.generator(FIRST_WEIGHTS),
               rows.sample([fit for fit, _ in folds]))
    return Training(members, rows, folds, loss, Recipe(30, 10, (64,), **knobs), draws, options), rows, folds


def test_the_best_epochs_weights_are_restored():
    training, rows, folds = noise()
    trained = training.run()
    with torch.no_grad():
        inputs = rows.inputs(torch.stack([valid for _, valid in folds]))
        outputs = trained.members.outputs(trained.members.inputs(*inputs))
        again = Loss("log", 2).means(outputs, rows.target[70:].expand(2, -1), None)
    # Labels are noise: every epoch overfits, so that the last one is far worse than the best.
    np.testing.assert_allclose(again.numpy(), trained.losses, rtol=1e-5)
    assert max(trained.losses) <= np.log(2) + 1e-6
    assert max(trained.best_epochs) < 10


@pytest.mark.parametrize("poisoned, sound", [(3, 1), (60, 0)])
def test_a_poisoned_row_is_left_out_and_the_other_member_stays_bit_equal(poisoned, sound):
    clean, spoilt = noise()[0].run(), noise(poisoned)[0].run()
    assert spoilt.places == [0, 1]
    assert spoilt.quarantined == (poisoned,)
    assert torch.equal(spoilt.members.values[sound], clean.members.values[sound])
    assert [(incident.code, incident.details["rows"]) for incident in spoilt.incidents] == [("D08", [poisoned])]


class Listens:
    """A callback that hears of everything."""

    def __init__(self):
        self.heard = []

    def on_fit_start(self, state):
        state.learning_rate = 2 * state.learning_rate

    def on_epoch_end(self, state):
        self.heard.append((state.epoch, len(state.incidents)))

    def on_incident(self, incident):
        self.heard.append(incident.code)


@pytest.mark.parametrize("changes", [
    {}, {"poisoned": 3}, {"learning_rate": 1e4}, {"schedule": "plateau", "clip": "auto"}, {"precision": "float16"},
    {"mixup": 0.3, "noise": 0.1, "dropouts": (0.2,)}, {"l1": 0.01, "batch_norm": True},
    {"loss": Loss("log", 2, own=lambda outputs, target: torch.nn.functional.cross_entropy(outputs, target, reduction="none"))},
    {"options": TrainingOptions(is_guarded=False)}, {"options": TrainingOptions(callbacks=[Listens()])},
    {"options": TrainingOptions(checkpoint=Path("checkpoints"))}], ids=lambda changes: "-".join(changes) or "plain")
def test_a_training_that_is_over_is_freed_without_the_garbage_collector(changes, tmp_path, monkeypatch):
    """On a GPU its members, snapshots and captured graph hold memory that the next training needs."""
    monkeypatch.chdir(tmp_path)
    noise(**changes)[0].run()  # what is imported and kept for good by a first training
    gc.collect()
    gc.disable()
    try:
        training = noise(**changes)[0]
        trained = training.run()
        held = [weakref.ref(each) for each in (training, training.state, training.state.members.values, training.recovery,
                                               training.state.stepper, training.state.snapshots, training.state.validation)]
        del training
        assert [each() for each in held] == [None] * len(held)
        assert torch.isfinite(trained.members.values).all()
    finally:
        gc.enable()


def test_batches_encoded_one_by_one_give_the_same_numbers(monkeypatch):
    matrix, _ = table("multiclass")
    resident = fit("multiclass").predict(matrix)
    monkeypatch.setattr("tabbench.nets.model.MOST_RESIDENT_NUMBERS", 0)
    assert fit("multiclass").predict(matrix).tobytes() == resident.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_predictions_cover_the_trained_folds_on_the_targets_scale(kind):
    training = training_set(kind, settings={"trained_folds": 5, "repeats": 2})
    held_out = APPROACHES.get("mlp").fit(training).held_out
    assert held_out.rows.tolist() == list(range(240))
    if kind == "regression":
        assert np.mean((training.target - held_out.predictions) ** 2) < 0.3 * training.target.var()
    else:
        np.testing.assert_allclose(held_out.predictions.sum(axis=1), 1.0)
        assert np.mean(training.target == held_out.predictions.argmax(axis=1)) > 0.7
    one = fit(kind).held_out
    assert len(one.rows) == len(one.predictions) == 48
    assert (np.diff(one.rows) > 0).all()


def test_held_out_predictions_come_from_nets_that_did_not_see_the_row():
    """Labels are noise: whoever saw them knows them better than chance."""
    training = training_set("binary", settings={"trained_folds": 5, "dropouts": [0.0]})
    training = replace(training, target=np.random.default_rng(0).integers(0, 2, 240))
    held_out = APPROACHES.get("mlp").fit(training).held_out
    assert np.mean(held_out.predictions.argmax(axis=1) == training.target) < 0.6


def test_a_shared_fit_does_not_depend_on_the_cells_own_seed():
    matrix, _ = table("binary")
    assert fit("binary", seed=1).predict(matrix).tobytes() == fit("binary", seed=2).predict(matrix).tobytes()


def test_bins_are_passed_through_from_left_to_right():
    numbers = np.repeat(np.arange(5, dtype=np.float32), 20)[:, None]
    encoding = NetEncoding.fit(numbers, (), 4)
    encoded = encoding.encoded(torch.tensor([[0.0], [1.5], [9.0]]), torch.zeros((3, 0), dtype=torch.int64))
    expected = [[0.0, 0, 0, 0, 0], [1.5, 1, 0.5, 0, 0], [9.0, 1, 1, 1, 1]]
    assert encoded.tolist() == [[row[0], *(ENCODED_SCALE * share for share in row[1:])] for row in expected]


@pytest.mark.parametrize("column", [np.zeros(100), np.arange(100) % 2])
def test_columns_without_a_middle_have_no_bins(column):
    assert len(NetEncoding.fit(column[:, None].astype(np.float32), (), 8).columns) == 0


def test_an_indicator_a_level_and_none_for_what_is_unseen():
    encoding = NetEncoding.fit(np.zeros((4, 0), dtype=np.float32), (3, 40, 4), 8)
    encoded = encoding.encoded(torch.zeros((3, 0)), torch.tensor([[0, 7, 1], [1, 7, 3], [2, 7, 0]]))
    assert encoded.tolist() == [[0, 0, 1, 0, 0], [1, 0, 0, 0, 1], [0, 1, 0, 0, 0]]
    assert encoding.embedded == [1]


def test_masks_drop_their_share_and_keep_the_mean():
    generator = torch.Generator()
    generator.manual_seed(0)
    drawn = DrawnDropout.draw(400, (50, 70), torch.tensor([0.25, 0.0]), generator)
    first, second = drawn.masks()
    assert first.shape == (2, 400, 50)
    assert second.shape == (2, 400, 70)
    assert abs(float((first[0] == 0).float().mean()) - 0.25) < 0.015
    assert abs(float(first[0].mean()) - 1.0) < 0.02
    assert (second[1] == 1).all()
    assert all(torch.equal(part, whole[:, 100:250]) for part, whole in zip(drawn.masks(100, 250), (first, second), strict=True))


def test_rows_without_weight_do_not_count():
    training = training_set("regression", settings={"epochs": 40})
    target = training.target.copy()
    target[::2] += 20_000.0
    weight = np.tile([0.0, 1.0], 120)
    predictions = APPROACHES.get("mlp").fit(replace(training, target=target, weight=weight)).predict(training.features)
    assert np.abs(predictions - training.target).mean() < 1500


def test_rows_in_time_have_one_net_that_stops_by_the_newest():
    assert fit("binary", settings={"trained_folds": 3}, time=np.arange(240)).tuned["nets"] == 1


@pytest.mark.parametrize("numbers, codes", [(0, 1), (3, 0)])
def test_numbers_alone_and_categories_alone(numbers, codes):
    matrix, _ = table("binary")
    part = NetMatrix(matrix.numbers[:, :numbers], matrix.codes[:, :codes], (5,)[:codes], ("x",) * (numbers + codes))
    assert fit("binary", features=part).predict(part).shape == (240, 2)


def test_training_does_not_wait_for_the_nets_that_improve_last():
    random = np.random.default_rng(2)
    noise = random.permutation(training_set("binary").target)  # nothing to learn: each net is best at another early epoch
    settings = {"trained_folds": 5, "epochs": 60, "patience": 6}

    def record(stragglers):
        return fit("binary", settings=settings | {"stragglers": stragglers}, target=noise).record

    def best_epochs(history):
        losses = np.array([each["validation_loss"] for each in history]).reshape(-1, 5)
        return len(losses), np.sort(np.argmin(losses, axis=0) + 1)

    (all_run, _), (run, bests) = best_epochs(record(0.0).history), best_epochs(record(0.2).history)
    assert run == bests[-2] + 6 + 1, "all but one of five nets had their patience"
    assert run < all_run


@pytest.mark.parametrize("rows, columns, classes", [(62, 15, 2), (40_000, 15, 2), (400_000, 42, 23), (3000, 1617, 2)])
@pytest.mark.parametrize("effort", [0.01, 0.1, 1.0, 6.0, 100.0])
def test_settings_are_sensible_at_every_shape(effort, rows, columns, classes):
    settings = APPROACHES.get("mlp").settings(Workload(effort, rows, columns, classes))
    assert 1 <= settings["trained_folds"] <= settings["folds"]
    assert settings["repeats"] >= 1
    assert settings["epochs"] >= 2


@pytest.mark.parametrize("ours, theirs, options", [(CpuAdam, torch.optim.AdamW, {"betas": (0.9, 0.95)}),
                                                   (FlatAdam, torch.optim.AdamW, {"betas": (0.9, 0.95)}),
                                                   (FlatSGD, torch.optim.SGD, {"momentum": 0.9, "nesterov": True})])
def test_the_flat_optimisers_step_as_torch_does(ours, theirs, options):
    target = torch.randn((3, 20), generator=torch.Generator().manual_seed(1))
    values = torch.randn((3, 20), generator=torch.Generator().manual_seed(2))
    rows = [row.clone().requires_grad_(True) for row in values]
    rates = torch.tensor([0.001, 0.002, 0.005])[:, None].expand(3, 20).clone()
    decay = 0.0 if ours is FlatSGD else 0.1  # torch's SGD puts decay into the gradient
    flat = ours(values, rates, rates * decay)
    torchs = [theirs([row], lr=rate, weight_decay=decay, **options)
              for row, rate in zip(rows, (0.001, 0.002, 0.005), strict=True)]
    for _ in range(30):
        flat.step(4 * (values - target) ** 3, torch.ones(3), 1.0)
        for row, wanted, optimiser in zip(rows, target, torchs, strict=True):
            optimiser.zero_grad()
            ((row - wanted) ** 4).sum().backward()
            optimiser.step()
    torch.testing.assert_close(values, torch.stack([row.detach() for row in rows]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimiser", [CpuAdam, FlatAdam, FlatSGD])
def test_a_refused_step_changes_nothing_of_its_member(optimiser):
    values = torch.randn((2, 5), generator=torch.Generator().manual_seed(1))
    both, alone = values.clone(), values[1:].clone()
    flat, single = (optimiser(each, torch.full_like(each, 0.1)) for each in (both, alone))
    gradients = torch.ones(2, 5)
    flat.step(gradients, torch.ones(2), 0.0)
    single.step(gradients[1:], torch.ones(1), 0.0)
    before, memory = both[0].clone(), {name: value[0].clone() for name, value in flat.state.items()}
    flat.step(torch.stack([torch.full((5,), torch.nan), torch.ones(5)]), torch.ones(2), 0.0, torch.tensor([False, True]))
    single.step(gradients[1:], torch.ones(1), 0.0)
    assert torch.equal(both[0], before)
    assert all(torch.equal(flat.state[name][0], value) for name, value in memory.items())
    assert torch.equal(both[1], alone[0])


@pytest.mark.parametrize("knobs", [{}, {"heads": 3}, {"optimiser": "sgd"}, {"clip": "auto", "l1": 1e-4}, {"weight_decay": 0.1},
                                   {"batch_norm": True}])
def test_a_step_asks_the_device_for_no_number(knobs):
    """What a step reads back would make the host wait on a GPU; the device `meta` has no numbers to give, and raises."""
    recipe = Recipe(epochs=2, batch_rows=8, hidden=(6, 6), **knobs)
    shape = NetShape(4, (5,), recipe.hidden, 2, batch_norm=recipe.batch_norm, heads=recipe.heads)
    encoded, codes = torch.zeros((30, 4), device="meta"), torch.zeros((30, 1), dtype=torch.int64, device="meta")
    rows = DeviceRows(encoded, lambda _: encoded, codes, torch.zeros(30, dtype=torch.int64, device="meta"), None)
    stepper = Stepper(Members.empty(shape, 2, "meta"), rows, Loss("log", 2), recipe, Draws(0, "cpu"), steps=6)
    batch = torch.zeros((2, 8), dtype=torch.int64, device="meta")
    drawn = torch.empty(2 * 8 * recipe.heads * sum(recipe.hidden), dtype=torch.uint8, device="meta")
    dropout = DrawnDropout(drawn, torch.ones(2, device="meta"), 8 * recipe.heads, recipe.hidden)
    losses, accepted = stepper.take(batch, dropout, torch.ones(2, device="meta"), 0.5, accept_finite, needs_norms=True)
    assert losses.shape == accepted.shape == (2,)
    with pytest.raises(RuntimeError, match="meta"):
        losses.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_in_halves_has_the_gradients_of_the_whole(kind, monkeypatch):
    monkeypatch.setattr("tabbench.nets.steps.FEWEST_PRODUCTS", 0)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 240)
    few = {"epochs": 1, "batch_rows": 64}
    whole, *halves = (fit(kind, settings=few, weight=weight, side_by_side=turns)
                      for turns in (None, SideBySide(1), SideBySide(2)))
    assert torch.equal(halves[0].members.values, halves[1].members.values)
    assert torch.allclose(whole.members.values, halves[0].members.values, rtol=1e-3, atol=1e-4)
    assert not torch.equal(whole.members.values, halves[0].members.values), "sums of halves are rounded otherwise"
