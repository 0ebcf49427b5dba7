"""Tables of least squares with a known truth, by which chances and rows needed are tested."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from calibration_chances import INDEPENDENT, Told, deciles, line, of_least_squares, world_of
from calibration_fits import linear


@pytest.mark.parametrize("kind", [INDEPENDENT, "least squares, correlated columns"])
def test_the_closed_form_is_what_training_and_testing_give(kind):
    world = next(world for world, _, _ in (world_of(kind, number) for number in range(50)) if world.noise.__name__ == "normal")
    random, factor, squares = np.random.default_rng(0), np.linalg.cholesky(world.covariance).T, []
    for _ in range(200):
        features = random.standard_normal((560, len(world.slopes))) @ factor
        target, columns = features @ world.slopes + random.standard_normal(560), world.columns["b"]
        made = linear(features[:60][:, columns], target[:60], features[60:][:, columns], True, 0)
        squares.append(np.mean((made - target[60:]) ** 2))
    assert np.sqrt(np.mean(squares)) == pytest.approx(world.loss("b", 60), rel=0.01)


def test_what_is_said_is_counted_by_tenths():
    assert deciles(np.full(40, 0.15), np.arange(40) < 10) == "– · 15/25 · – · – · – · – · – · – · – · –"
    assert line("sure", [Told((0.96, 0.04, 0.0), 0)] * 40).startswith("| sure | 40 | 0/0 · – ·")
    assert line("sure", [Told((0.96, 0.04, 0.0), 0)] * 40).endswith("96/100 | 4/0 · – · – · – · – · – · – · – · – · – |")


def test_every_run_tells_of_both_sizes():
    found = of_least_squares(INDEPENDENT, 2)
    assert len(found) == 4
    assert all(sum(each.said) == pytest.approx(1) and each.true in {0, 1, 2} for each in found)
