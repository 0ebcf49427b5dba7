"""Written-out gradients are those of autograd."""

import numpy as np
import pytest
import torch

from tabbench.nets.activations import ACTIVATIONS
from tabbench.nets.backward import WrittenBackward
from tabbench.nets.dropout import DrawnDropout
from tabbench.nets.loss import Loss
from tabbench.nets.network import Members, NetShape

ROWS = 40


def members_of(activation, outputs, members, embedded=()):
    """In double precision, with weights that leave no unit at rest."""
    shape = NetShape(6, embedded, (7, 5), outputs, activation)
    made = Members.empty(shape, members, "cpu", torch.float64)
    generator = torch.Generator().manual_seed(3)
    made.values.copy_(torch.randn(made.values.shape, generator=generator, dtype=torch.float64))
    return made


def of_autograd(members, loss, smoothing, encoded, codes, target, weight, masks):
    leaves = {name: view.detach().clone().requires_grad_(True) for name, view in members.parameters.items()}
    outputs = members.outputs(members.inputs(encoded, codes, leaves), leaves, masks)
    losses = loss.means(outputs, target, weight, smoothing=smoothing)
    found = torch.autograd.grad(losses.sum(), list(leaves.values()))
    return losses.detach(), torch.cat([each.flatten(1) for each in found], dim=1)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("kind, classes, smoothing", [("log", 2, 0.0), ("log", 4, 0.1), ("squared", 0, 0.0), ("absolute", 0, 0.0),
                                                      ("huber", 0, 0.0)])
@pytest.mark.parametrize("members, embedded, is_weighted, is_masked", [(1, (), False, False), (3, (12, 4), True, True)])
def test_gradients_are_those_of_autograd(activation, kind, classes, smoothing, members, embedded, is_weighted, is_masked):
    random = np.random.default_rng(0)
    nets, loss = members_of(activation, classes or 1, members, embedded), Loss(kind, classes)
    encoded = torch.from_numpy(random.normal(size=(members, ROWS, 6)))
    codes = torch.from_numpy(random.integers(0, 4, (members, ROWS, len(embedded))))
    target = torch.from_numpy(random.integers(0, classes, (members, ROWS)) if classes else random.normal(size=(members, ROWS)))
    weight = torch.from_numpy(random.uniform(0.5, 2.0, (members, ROWS))) if is_weighted else None
    masks = DrawnDropout.draw(ROWS, nets.shape.hidden, torch.full((members,), 0.3, dtype=torch.float64),
                              torch.Generator().manual_seed(0)).masks() if is_masked else None
    written = WrittenBackward(nets, loss, smoothing)
    losses = written.losses(nets.inputs(encoded, codes), codes, target, weight, masks)
    expected, gradients = of_autograd(nets, loss, smoothing, encoded, codes, target, weight, masks)
    torch.testing.assert_close(losses, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(written.gradients, gradients, rtol=1e-9, atol=1e-12)
