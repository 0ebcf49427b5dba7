"""What is left to look at of a training: curves, layers, pictures."""

import json
import math

import numpy as np
import pytest
import torch

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.nets.looking import BINS, MOST_POINTS, curves, dead_shares, layer_summaries, update_ratios
from tabbench.nets.network import Members, NetShape

pytestmark = pytest.mark.filterwarnings("ignore::tabbench.core.errors.TrainingWarning")


def history(epochs, nets=3, **changes):
    """Records of nets whose losses are the epoch plus the net's number."""
    return [{"epoch": epoch, "net": net, "training_loss": epoch + net, "validation_loss": 1.0 / 3.0, "learning_rate": 0.05,
             "gradient_norm": 1.0} | changes for epoch in range(1, epochs + 1) for net in range(nets)]


def members(activation="relu", hidden=(4, 4), heads=1):
    shape = NetShape(3, (), hidden, 2, activation=activation, heads=heads)
    made = Members.empty(shape, 2, "cpu")
    made.values.copy_(torch.randn(made.values.shape, generator=torch.Generator().manual_seed(0)))
    return made


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    return GuardedMLPClassifier("fast", max_epochs=12, random_state=0, device="cpu").fit(X, X[:, 0] > X[:, 1])


def test_curves_are_rounded_medians_over_the_nets():
    found = curves(history(4))
    assert found["epoch"] == [1, 2, 3, 4]
    assert found["training_loss"] == [2.0, 3.0, 4.0, 5.0]
    assert found["validation_loss"] == [0.3333] * 4


def test_long_curves_are_thinned_but_keep_both_ends():
    found = curves(history(1000, nets=1))
    assert len(found["epoch"]) == len(found["training_loss"]) == MOST_POINTS
    assert (found["epoch"][0], found["epoch"][-1]) == (1, 1000)
    assert found["training_loss"] == [float(epoch) for epoch in found["epoch"]]


def test_what_is_not_finite_does_not_count_and_is_null_where_nothing_is():
    mixed = history(1, training_loss=math.nan, gradient_norm=math.inf)
    mixed[1]["training_loss"] = 7.0
    found = curves(mixed)
    assert (found["training_loss"], found["gradient_norm"]) == ([7.0], [None])
    json.dumps(found, allow_nan=False)


def test_nothing_trained_leaves_no_curves():
    assert curves([]) == {}


def test_the_size_of_a_step_is_told_by_member_and_layer():
    net = members()
    before = net.learnt.clone()
    net.parameters["weight1"][0] *= 1.01
    ratios = update_ratios(net, before)
    assert ratios.shape == (2, 3)
    assert ratios[0, 1] == pytest.approx(0.01, rel=1e-3)
    assert ratios.count_nonzero() == 1


@pytest.mark.parametrize("heads", [1, 3])
def test_units_that_say_the_same_for_all_rows_are_dead(heads):
    net = members(heads=heads)
    net.parameters["bias0"][1, :, :3] = -1e6
    rows = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(1))
    shares = dead_shares(net, rows, torch.zeros(2, 64, 0, dtype=torch.int64))
    assert shares.shape == (2, 2)
    assert shares[0, 0] == 0.0
    assert shares[1, 0] == 0.75


def test_layers_are_counted_in_full_and_outliers_at_the_ends():
    net = members()
    net.parameters["weight0"].fill_(0.0)
    net.parameters["weight0"][0, 0, 0] = 1e6
    first, _, last = layer_summaries(net, [[0.5, 0.1, math.nan], [0.3, 0.1, math.nan]], [[0.0, 0.5], [1.0, 0.5]])
    assert sum(first["counts"]) == 2 * 3 * 4
    assert len(first["counts"]) == BINS
    assert (first["dead_share"], first["update_ratio"]) == (0.5, 0.4)
    assert (last["dead_share"], last["update_ratio"]) == (None, None)
    json.dumps([first, last], allow_nan=False)


def test_a_fit_tells_it_in_two_kilobytes(fitted):
    tuned = fitted._model.tuned
    assert len(json.dumps(tuned, allow_nan=False)) < 2500
    assert tuned["training"]["epoch"][-1] == fitted.history_["epoch"].max()
    assert [layer["dead_share"] is None for layer in tuned["weights"]] == [False] * (len(tuned["weights"]) - 1) + [True]
    assert all(0 < layer["update_ratio"] < 1 for layer in tuned["weights"])


def test_pictures_show_losses_rate_norm_and_every_layer(fitted):
    training, weights = fitted.plot_training(), fitted.plot_weights()
    assert [axis.get_title() for axis in training.axes] == ["loss", "learning rate", "gradient norm"]
    assert any(text.get_text() == "best" for text in training.axes[0].texts)
    assert len(weights.axes) == len(fitted._model.tuned["weights"])
    assert "dead units" in weights.axes[0].texts[0].get_text()
    assert "update ratio" in weights.axes[-1].texts[0].get_text()
    assert sum(patch.get_height() for patch in weights.axes[0].patches) == sum(fitted._model.tuned["weights"][0]["counts"])


def test_pictures_mark_incidents_and_a_single_net_without_guard_can_be_drawn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    hot = GuardedMLPRegressor("fast", learning_rate=1e6, max_epochs=5, random_state=0, device="cpu").fit(X, X[:, 0])
    assert any("O01" in text.get_text() for text in hot.plot_training().axes[0].texts)
    plain = GuardedMLPRegressor("fast", guard=False, folds=1, max_epochs=1, random_state=0, device="cpu").fit(X, X[:, 0])
    plain.plot_training().canvas.draw()
    plain.plot_weights().canvas.draw()
