"""The user's own module under the guard: it learns, survives, resumes bit for bit, and is refused where it cannot be used."""

import numpy as np
import pytest
import torch
from torch import nn

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadOption, TrainingWarning

QUICK = {"preset": "fast", "folds": 1, "max_epochs": 12, "random_state": 0, "device": "cpu"}


class Residual(nn.Module):
    """One residual block, with normalisation and dropout."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.block, self.last = nn.Linear(inputs, 32), nn.Linear(32, 32), nn.Linear(32, outputs)
        self.norm, self.dropout = nn.BatchNorm1d(32), nn.Dropout(0.1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.first(rows))
        return self.last(hidden + self.dropout(torch.relu(self.norm(self.block(hidden)))))


def flat(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, outputs), nn.Flatten(0))


def table():
    X = np.random.default_rng(0).normal(size=(300, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2]


@pytest.mark.parametrize("module", [Residual, flat])
def test_it_learns(module):
    X, y = table()
    model = GuardedMLPRegressor(**QUICK, module=module).fit(X, y)
    assert model.score(X, y) > 0.85 and model.incidents_ == [] and model.hidden_sizes_ is None
    assert len(model.plot_weights().axes) >= 2
    labels = np.digitize(y, [-1, 1])
    assert GuardedMLPClassifier(**QUICK, module=Residual).fit(X, labels).score(X, labels) > 0.85


def test_a_rate_that_is_far_too_high_is_survived():
    X, y = table()
    with pytest.warns(TrainingWarning, match="O01"):
        model = GuardedMLPRegressor(**QUICK | {"max_epochs": 30}, module=Residual, learning_rate=1e6).fit(X, y)
    assert model.score(X, y) > 0.8


def test_it_is_continued_bit_for_bit(tmp_path):
    X, y = table()

    class StopsAtFive:
        def on_epoch_end(self, state):
            if state.epoch == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GuardedMLPRegressor(**QUICK, module=Residual, callbacks=[StopsAtFive()]).fit(X, y, checkpoint=tmp_path)
    whole, continued = (GuardedMLPRegressor(**QUICK, module=Residual).fit(X, y, resume_from=folder)
                        for folder in (None, tmp_path))
    np.testing.assert_array_equal(whole.predict(X), continued.predict(X))


@pytest.mark.parametrize("module", [lambda inputs, outputs: nn.Linear(inputs, 3), lambda inputs, outputs: nn.Linear(7, outputs),
                                    lambda inputs: 3, nn.Linear(2, 1), lambda inputs, outputs: "x"])
def test_what_cannot_be_used_gets_a_sentence(module):
    with pytest.raises(BadOption, match="module"):
        GuardedMLPRegressor(**QUICK, module=module).fit(*table())


class Frozen(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs))
        self[0].requires_grad_(False)


class Lazy(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(nn.LazyLinear(8), nn.Tanh(), nn.Linear(8, outputs))


class Tied(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first, self.middle, self.last = (nn.Linear(*sizes) for sizes in ((inputs, 8), (8, 8), (8, outputs)))
        self.again = self.middle

    def forward(self, rows):
        return self.last(torch.tanh(self.again(torch.tanh(self.middle(torch.tanh(self.first(rows)))))))


@pytest.mark.parametrize("module", [Frozen, Lazy, Tied])
def test_unusual_parameters_are_what_they_are_in_torch(module):
    X, y = table()
    model = GuardedMLPRegressor(**QUICK | {"max_epochs": 6, "folds": 2}, module=module).fit(X, y)
    assert model.score(X, y) > 0.1
    np.testing.assert_allclose(model.module_(model.encode(X)).detach().numpy(), model.predict(X), rtol=1e-4, atol=1e-4)


def test_frozen_layers_stay_as_they_were():
    X, y = table()
    before, after = (GuardedMLPRegressor(**QUICK | {"max_epochs": epochs}, module=Frozen, early_stopping=False).fit(
        X, y).module_.layers.members[0] for epochs in (4, 9))
    assert torch.equal(before[0].weight, after[0].weight) and not torch.equal(before[-1].weight, after[-1].weight)
