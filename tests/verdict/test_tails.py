from dataclasses import replace

import numpy as np
import pytest

from tabbench.core.metric import METRICS
from tabbench.verdict.tails import UNSEEN, loss_concentration, noise_errors

PAIR = [("few", "many")]


def squares(seed, rows=400, shock=0.0, wander=0.3):
    """Squared errors by two approaches at two sizes: `many` is a little better, and wanders more with its training rows."""
    random = np.random.default_rng(seed)
    error = random.standard_normal(rows) + shock * (random.random(rows) < 0.02) * random.lognormal(1, 1, rows)
    return {(name, size): (error * factor + scale * random.standard_normal(rows)) ** 2
            for name, factor, scale in (("few", 1.0, 0.02), ("many", 0.9, wander)) for size in (160, 320)}


def test_of_normal_errors_an_eighth_of_the_rows_carries_half(simulate):
    found = loss_concentration(simulate.evidence_of(squares(0, rows=4000)), 320)
    assert found.rows / found.of == pytest.approx(1 / 8, rel=0.1)
    assert found.excess < 0.02


def test_a_lead_that_heavier_noise_could_turn_is_wider(simulate):
    calm, shocked = (simulate.evidence_of(squares(1, shock=shock)) for shock in (0.0, 5.0))
    assert noise_errors(calm, 320, PAIR)[0] < 0.05
    assert noise_errors(shocked, 320, PAIR)[0] > 0.3
    assert noise_errors(shocked, 320, [("many", "few")]) == noise_errors(shocked, 320, PAIR)


def test_noise_that_would_only_add_to_the_lead_is_no_doubt(simulate):
    losses = squares(1, shock=5.0)
    behind = simulate.evidence_of({cell: each + 50.0 * (cell[0] == "many") for cell, each in losses.items()})
    assert noise_errors(behind, 320, PAIR).tolist() == [0.0]


def test_with_a_single_size_the_square_by_which_two_differ_stands_in(simulate):
    losses = {cell: each for cell, each in squares(1, shock=5.0).items() if cell[1] == 320}
    assert noise_errors(simulate.evidence_of(losses), 320, PAIR)[0] > 0


@pytest.mark.parametrize("sizes", [(320,), (160, 320)])
def test_what_varies_is_a_part_of_the_leaders_loss(simulate, sizes):
    few, random = np.where(np.arange(400) < 4, 0.3, 0.0), np.random.default_rng(0)  # all of its loss is in four rows
    losses = {("few", size): few + (size < 320) * random.random(400) for size in sizes}
    losses |= {("many", size): np.linspace(0, 2, 400) for size in sizes}
    evidence = simulate.evidence_of(losses)
    assert 0 < noise_errors(evidence, 320, PAIR)[0] <= UNSEEN * loss_concentration(evidence, 320).excess * few.mean() * 1.001


def test_hits_have_no_tail_and_rows_without_a_loss_say_nothing(simulate):
    evidence = simulate.evidence_of(squares(1, shock=5.0))
    for blind in (replace(evidence, metric=METRICS.get("accuracy")), replace(evidence, row_loss={})):
        assert loss_concentration(blind, 320) is None and noise_errors(blind, 320, PAIR).tolist() == [0.0]


def test_weights_and_groups_decide_how_few_rows_carry_the_loss(simulate):
    evidence = simulate.evidence_of({("few", 320): np.ones(400) + (np.arange(400) < 4)})
    assert loss_concentration(evidence, 320).rows == 2  # of four rows above the least loss
    weighed = replace(evidence, weight=np.where(evidence.unit == 0, 1000.0, 1.0))
    assert loss_concentration(weighed, 320).rows == 1
    grouped = replace(evidence, unit=evidence.unit // 2)
    assert loss_concentration(grouped, 320).of == 200
