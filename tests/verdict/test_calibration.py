"""The quick form of the calibration gate: 117 runs on tables with a known truth, by the generators of `make calibrate`."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import calibration_real
from calibrate_by_splits import records_of
from calibrate_people import runs_of
from calibration_rates import judged, rates
from calibration_runs import METRICS_OF, Series, designs, draw, evidence_of, fit
from calibration_tables import crossing_size

pytestmark = [pytest.mark.usefixtures("few_draws")]  # which share their runs

PEOPLE_RUNS = 12
SLACK = 2
"""Binomial standard errors by which a measured rate may miss its level."""


def most(level, runs):
    return level + SLACK * np.sqrt(level * (1 - level) / runs)


def least(level, runs):
    return level - SLACK * np.sqrt(level * (1 - level) / runs)


@cache
def rates_of(series, runs, truth):
    """(metric, splits) -> rates over the first `runs` runs, with all splits, with the first repeat's alone and with one."""
    records = {}
    for number in range(runs):
        drawn, made = draw(series, number), fit(series, number)
        for metric in METRICS_OF[series.task]:
            whole = evidence_of(drawn, made, metric)
            for evidence in designs(whole, drawn.question.plan):
                record = judged(evidence, truth(drawn.sizes), is_null=series.of.is_null)
                records.setdefault((metric, evidence.n_splits), []).append(record)
    return {design: rates(each) for design, each in records.items()}


def nothing(sizes):
    return {"sizes": list(sizes), "difference": [0.0] * len(sizes), "standard_error": [0.0] * len(sizes)}


def closed_form(sizes):
    """The sign of the truth on either side of n*, which is all that a false claim needs; its size is not tested here."""
    return {"sizes": list(sizes), "difference": [float(np.log(size / crossing_size())) for size in sizes],
            "standard_error": [0.0] * len(sizes)}


@pytest.mark.parametrize(("learner", "task", "runs"), [("linear", "regression", 40), ("linear", "classification", 16),
                                                       ("tree", "classification", 16)])
def test_mirror_twins_have_no_false_winner(learner, task, runs):
    for design, known in rates_of(Series("G1", learner, task), runs, nothing).items():
        assert known["false_at_full"][0] <= most(0.05, runs), design
        assert known["false_over_sizes"][0] <= most(0.05, runs), design


def test_twins_have_no_false_winner_by_metrics_that_the_splits_alone_decide():
    for design, records in records_of(Series("G1", "linear", "regression"), 20).items():
        known = rates(records)
        assert max(known["false_at_full"][0], known["false_over_sizes"][0]) <= most(0.05, 20), design


def test_the_usual_test_of_fifteen_scores_has_many_false_winners():
    known = rates_of(Series("G1", "linear", "regression"), 40, nothing)["rmse", 15]
    assert known["naive_t"][0] > 0.15 and known["naive_wilcoxon"][0] > 0.15


@pytest.mark.parametrize("runs", [45])
def test_crossover_with_a_closed_form(runs):
    found = rates_of(Series("G2", "linear", "regression"), runs, closed_form)
    for known in found.values():
        assert known["covered"][0] >= least(0.95, runs)
        assert max(known["false_at_full"][0], known["false_over_sizes"][0]) <= most(0.01, runs)
    assert found["rmse", 15]["bounded"][0] >= least(0.6, runs)
    assert found["rmse", 15]["width_ratio"][0] <= 5


@pytest.mark.parametrize("name", ["P5", "P7", "P12", "P19", "P21"])
def test_tables_as_people_have_them_have_no_false_winner(name):
    for splits, said in runs_of(name, PEOPLE_RUNS).items():
        assert sum(each.is_false_winner for each in said) / PEOPLE_RUNS <= most(0.05, PEOPLE_RUNS), splits


def test_real_tables_are_drawn_and_judged_against_their_other_rows(monkeypatch):
    monkeypatch.setattr(calibration_real, "TRUTH_SETS", 3)
    two = {name: calibration_real.LEARNERS[name] for name in ("linear", "few columns")}
    monkeypatch.setattr(calibration_real, "LEARNERS", two)
    (pool,) = calibration_real.pools(None, ["grid_stability"])
    (found,) = calibration_real.counts_of(pool, 2, 1).values()
    assert (found.runs, found.held, found.wrong) == (2, 2, 0)
