from dataclasses import replace

import numpy as np

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.judge import judge


def places(frame):
    return [(row.first, row.second, row.kind, row.ahead_below, row.ahead_above) for row in frame.itertuples()]


def test_any_two_approaches_cross_whether_they_represent_a_family_or_not(simulate):
    evidence, truth = simulate.crossing_pair(0, rows=2_000)
    declared = judge(evidence, full_size=evidence.sizes[-1])
    assert declared.other_crossovers.empty and not declared.crossovers.empty
    undeclared = judge(replace(evidence, representatives=()), full_size=evidence.sizes[-1])
    assert undeclared.crossovers.empty
    assert places(undeclared.other_crossovers) == [("ols0", "ols1", "bracket", "ols0", "ols1")]
    (row,) = undeclared.other_crossovers.itertuples()
    assert row.low < truth < row.high
    assert tuple(undeclared.other_crossovers.columns) == COLUMNS["other_crossovers"]


def test_families_cross_where_their_best_members_do(simulate):
    evidence, truth = simulate.crossing_pair(0, rows=2_000)
    families = {"ols0": "linear", "ols1": "net"}
    found = judge(replace(evidence, families=families), full_size=evidence.sizes[-1])
    assert places(found.family_crossovers) == [("linear", "net", "bracket", "linear", "net")]
    (row,) = found.family_crossovers.itertuples()
    assert row.low < truth < row.high
    assert judge(evidence, full_size=evidence.sizes[-1]).family_crossovers.empty  # both are linear


def test_one_size_curves_that_waver_and_failures_break_nothing(simulate):
    random = np.random.default_rng(0)
    levels = {"linear": (1.0, 3.0, 1.0, 3.0), "mlp": (2.0, 2.0, 2.0, 2.0), "dummy": (9.0, 9.0, 9.0, 9.0)}
    losses = {(name, size): level + 0.2 * random.standard_normal(100)
              for name, values in levels.items() for size, level in zip((20, 40, 60, 80), values, strict=True)}
    found = judge(simulate.evidence_of(losses), full_size=80)
    assert places(found.family_crossovers) == [
        ("linear", "mlp", "several", "linear", "mlp"), ("linear", "mlp", "several", "mlp", "linear"),
        ("linear", "mlp", "several", "linear", "mlp")]
    one = judge(simulate.evidence_of({cell: loss for cell, loss in losses.items() if cell[1] == 20}), full_size=80)
    assert places(one.family_crossovers) == [("linear", "mlp", "none", "linear", "linear")]
    lacking = simulate.evidence_of({cell: loss for cell, loss in losses.items() if cell not in {("mlp", 40), ("linear", 60)}})
    assert places(judge(lacking, full_size=80).family_crossovers) == [("linear", "mlp", "bracket", "linear", "mlp")]
    alone = judge(simulate.evidence_of({cell: loss for cell, loss in losses.items() if cell[0] == "mlp"}), full_size=80)
    assert alone.family_crossovers.empty and alone.other_crossovers.empty
