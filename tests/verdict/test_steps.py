from dataclasses import replace

import numpy as np
import pytest

from tabbench.metrics.classification import METRICS
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.steps import SMOOTH_DECLINE, nested_steps
from tabbench.verdict.variance import make_contrasts, spread

BOTH = np.array([0, 2]), np.array([1, 3])
"""a against b at 60 rows and at 240."""


def evidence_of(simulate, luck=0.0, splits=15, rows=300, **changes):
    """Rows that lose the same at both sizes, and a training luck of this standard deviation at the smaller one."""
    random = np.random.default_rng(1)
    tested = {name: np.resize(random.random((1, rows)), (splits, rows)) for name in "ab"}
    losses = {(name, size): tested[name] + 0.02 * random.standard_normal((splits, rows)) for size in (60, 240) for name in "ab"}
    losses["a", 60] = losses["a", 60] + luck * random.standard_normal((splits, 1))
    return simulate.evidence_of(losses, repeats=splits // 5, **changes)


def cells_of(evidence):
    return [(name, size) for size in evidence.sizes for name in evidence.present(size)]


def errors_of(evidence):
    cells = cells_of(evidence)
    return spread(evidence, make_contrasts(evidence, cells, row_moments(evidence, cells), list(zip(*BOTH, strict=True))))


def test_a_step_has_little_luck_of_tested_rows_and_all_of_training_rows(simulate):
    calm, steps = (nested_steps(each, cells_of(each), *BOTH) for each in (evidence_of(simulate, luck) for luck in (0.0, 0.1)))
    assert np.isnan([steps.between[0], steps.by_rows[0], steps.luck[0]]).all()
    assert steps.luck[1] == pytest.approx(4**SMOOTH_DECLINE - 1)
    # Sixty rows a split, whose losses change by four independent parts of 0.02; the variance of 15 normal values is uncertain.
    assert calm.by_rows[1] == pytest.approx(4 * 0.02**2 / 60, rel=0.2)
    assert steps.between[1] == pytest.approx(0.1**2, rel=0.6)


def test_calm_steps_make_an_interval_narrower_and_wild_ones_wider(simulate):
    calm, wild = (errors_of(evidence_of(simulate, luck)) for luck in (0.0, 0.1))
    assert calm.standard_error[1] < 0.9 * wild.standard_error[1]
    assert calm.degrees[1] > 40


def test_of_approaches_that_were_not_run_at_the_same_smaller_size_no_step_is_known(simulate):
    whole = evidence_of(simulate)
    loss, row_loss = ({cell: each for cell, each in of_cells.items() if cell != ("b", 60)}
                      for of_cells in (whole.loss, whole.row_loss))
    evidence = replace(whole, loss=loss, row_loss=row_loss)
    cells = cells_of(evidence)
    assert np.isnan(nested_steps(evidence, cells, np.array([1]), np.array([2])).between).all()
    assert np.isfinite(nested_steps(evidence, cells, np.array([1]), np.array([-1])).between).all()


def test_one_split_and_metrics_without_row_losses_show_no_steps(simulate):
    whole = evidence_of(simulate, splits=5)
    for evidence in (replace(whole, row_loss={}), replace(whole, split=np.zeros_like(whole.split))):
        assert np.isnan(nested_steps(evidence, cells_of(whole), *BOTH).between).all()


def test_luck_of_ranks_shrinks_more_slowly(simulate):
    evidence = replace(evidence_of(simulate), metric=METRICS.get("auc"))
    assert nested_steps(evidence, cells_of(evidence), *BOTH).luck[1] == pytest.approx(3)


def test_where_the_first_rows_are_the_same_in_all_splits_as_the_newest_ones_are_no_step_is_known(simulate):
    evidence = evidence_of(simulate)
    assert evidence.overlap[60] < 0.4 < evidence.overlap[240]
    same = replace(evidence, overlap={60: evidence.overlap[240], 240: evidence.overlap[240]})
    assert np.isnan(nested_steps(same, cells_of(same), *BOTH).between).all()
