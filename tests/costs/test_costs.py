"""Costs before anything ran: monotone, scaled to the machine, and shared work is paid once."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tabbench.core.cell import Cell
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import CELL_SECONDS, Prices, members, shape_of_cells
from tabbench.costs.prior import COSTS, FEATURES, CellCost, Expected, PriorCosts, Shape, fit_costs
from tabbench.options import default_approaches

MEASURED = json.loads(COSTS.read_text())
SHAPE = Shape(rows=2_000, columns=20, width=60, classes=2, test_rows=500)
rows = st.integers(50, 500_000)


def cell(approach, size=100, fold=0, reused=()):
    settings = {"members": {name: {} for name in reused}} if reused else {}
    return Cell("t", "k", "s", approach, 1, settings, size, 0, fold, 0, "cpu")


def measured(seconds, spread=0.3):
    return Prices(lambda approach, size: CellCost(Expected(seconds[approach], spread), Expected(10.0, spread), "measured"),
                  lambda view, size: 5.0, {"linear": "linear", "linear+pca": "linear"})


@pytest.mark.parametrize("effort", [0.1, 0.3, 1.0])
def test_the_package_knows_every_default_approach(effort):
    costs = PriorCosts.load()
    for name in default_approaches(effort):
        if name != "blend":
            own = costs.own(name, effort, SHAPE)
            assert own.known == "measured" and 0 < own.seconds.median < 3_600 and 0 < own.work_mb.median < 10_000, name


@hypothesis_settings(deadline=None)
@given(rows, rows, st.sampled_from(["linear", "xgboost", "mlp"]))
def test_more_rows_never_cost_less(first, second, approach):
    costs = PriorCosts.load()
    small, large = (costs.own(approach, 0.1, replace(SHAPE, rows=each)) for each in sorted((first, second)))
    assert small.seconds.median <= large.seconds.median and small.work_mb.median <= large.work_mb.median


def test_a_slower_machine_takes_longer_and_no_more_memory():
    usual, slow = PriorCosts.load(), PriorCosts.load(slowness=3.0)
    first, second = (costs.own("linear", 0.1, SHAPE) for costs in (usual, slow))
    assert second.seconds.median == pytest.approx(3 * first.seconds.median) and second.work_mb == first.work_mb
    assert slow.machine("startup_seconds") == pytest.approx(3 * usual.machine("startup_seconds"))
    assert slow.machine("base_mb") == usual.machine("base_mb")


def test_what_was_not_measured_is_composed_or_unknown():
    costs = PriorCosts.load()
    composed, plain = costs.own("mlp+forest", 0.1, SHAPE), costs.own("mlp", 0.1, SHAPE)
    assert composed.known == "composed" and composed.seconds.median > plain.seconds.median
    assert composed.seconds.spread > plain.seconds.spread or plain.seconds.spread > 0.7
    unknown = costs.own("something else", 0.1, SHAPE)
    assert unknown.known == "unknown" and math.isnan(unknown.seconds.median)


def test_one_measured_preset_stands_for_all_efforts():
    only_balanced = PriorCosts(MEASURED | {"models": {"linear": {"balanced": MEASURED["models"]["linear"]["balanced"]}}})
    less, balanced, thorough = (only_balanced.own("linear", effort, SHAPE) for effort in (0.5, 1.0, 6.0))
    assert (less.known, balanced.known, thorough.known) == ("composed", "measured", "composed")
    assert thorough.seconds.median == pytest.approx(6**0.8 * balanced.seconds.median)
    assert less.seconds.median == pytest.approx(0.5**0.8 * balanced.seconds.median)
    assert thorough.work_mb.median == balanced.work_mb.median and thorough.seconds.spread >= 0.7


@pytest.mark.parametrize("approach", [name for name, models in MEASURED["models"].items() if len(models) > 1])
def test_seconds_follow_the_line_through_the_measured_presets(approach):
    costs, efforts = PriorCosts.load(), (0.01, 0.05, 0.1, 0.2, 0.4, 1.0, 3.0, 6.0, 40.0, 100.0)
    own = [costs.own(approach, effort, SHAPE) for effort in efforts]
    seconds, memory = ([getattr(each, what).median for each in own] for what in ("seconds", "work_mb"))
    assert seconds == sorted(seconds) and memory == sorted(memory)
    assert seconds[0] >= 0.0999 * seconds[2]
    spreads = dict(zip(efforts, (each.seconds.spread for each in own), strict=True))
    assert spreads[0.01] > spreads[0.05] > spreads[0.1] and spreads[100.0] > spreads[6.0] > spreads[1.0]
    assert costs.own(approach, 0.3, SHAPE).known == "measured" and costs.own(approach, 6.0, SHAPE).known == "composed"


def test_between_two_presets_lies_the_straight_line_of_the_logarithms():
    def model(seconds, spread):
        quantity = {"coefficients": [math.log(seconds), *[0.0] * 8], "spread": spread}
        return {"fit": quantity, "predict": quantity | {"coefficients": [-30.0, *[0.0] * 8]}, "work_mb": quantity}

    costs = PriorCosts(MEASURED | {"models": {"linear": {"balanced": model(100.0, 0.6), "fast": model(1.0, 0.2)},
                                              "mlp": {"balanced": model(1.0, 0.2), "fast": model(4.0, 0.2)}}})
    found = {effort: costs.own("linear", effort, SHAPE) for effort in (0.01, 0.1, 10**-0.5, 1.0, 10.0)}
    assert [each.seconds.median for each in found.values()] == pytest.approx([0.1, 1.0, 10.0, 100.0, 10_000.0])
    assert [each.seconds.spread for each in found.values()][1:4] == pytest.approx([0.2, 0.4, 0.6])
    assert [costs.own("mlp", effort, SHAPE).seconds.median for effort in (0.01, 0.1, 0.3, 1.0, 10.0)] == pytest.approx([2.0] * 5)


def test_another_version_is_less_certain():
    costs = PriorCosts.load()
    assert costs.own("linear", 0.1, SHAPE, version=-1).seconds.spread > costs.own("linear", 0.1, SHAPE).seconds.spread


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 1.0), st.floats(0.1, 1.2), st.integers(0, 1000))
def test_fitting_finds_the_exponents(of_rows, of_columns, seed):
    rng = np.random.default_rng(seed)
    shapes = [Shape(int(100 * 1000 ** rng.random()), int(4 * 100 ** rng.random()), 500, 2) for _ in range(80)]
    shapes = [replace(shape, width=shape.columns) for shape in shapes]
    values = np.array([1e-4 * shape.rows**of_rows * shape.columns**of_columns for shape in shapes])
    fitted = fit_costs(shapes, values * np.exp(0.05 * rng.normal(size=80)), np.zeros(len(FEATURES)), strength=0.01)
    found = dict(zip(FEATURES, fitted["coefficients"], strict=True))
    assert found["rows_from_1000"] == pytest.approx(of_rows, abs=0.1) and found["columns"] == pytest.approx(of_columns, abs=0.1)
    assert fitted["spread"] < 0.1 and fitted["cells"] == 80


def test_the_shape_counts_levels(small_setup):
    assert shape_of_cells(small_setup, 30) == Shape(rows=30, columns=2, width=4, classes=2, test_rows=60)


def test_what_a_batch_has_done_is_not_paid_again():
    prices = measured({"linear": 1.0, "linear+pca": 2.0, "xgboost": 8.0, "boosting": 0.5})
    own = [price.seconds - CELL_SECONDS for price in prices.in_batch([cell("linear"), cell("linear+pca")])]
    assert own == pytest.approx([5.0 + 1.0, 2.0])  # the view goes to the first
    boosting = cell("boosting", reused=("xgboost",))
    assert prices.in_batch([boosting])[0].seconds == pytest.approx(8.5 + CELL_SECONDS)
    assert prices.in_batch([cell("xgboost"), boosting])[1].seconds == pytest.approx(0.5 + CELL_SECONDS)
    assert prices.in_batch([boosting], done=["xgboost"])[0].seconds == pytest.approx(0.5 + CELL_SECONDS)


def test_members_of_members_come_first():
    assert list(members({"members": {"boosting": {"members": {"xgboost": {}}}}})) == ["xgboost", "boosting"]
    assert list(members({"trees": 100})) == []


def test_the_first_cells_correct_the_approach_its_other_sizes_and_a_little_the_others():
    prices = measured({"linear": 1.0, "mlp": 4.0})
    costs = CostModel(prices)
    before = {name: costs.alone(cell(name, size)) for name in ("linear", "mlp") for size in (100,)}
    for fold in range(4):
        costs.learn(cell("mlp", 100, fold), 8.0)
    assert costs.alone(cell("mlp", 100)) == pytest.approx(8.0, rel=0.12)
    assert before["mlp"] < costs.alone(cell("mlp", 400)) < 9.5
    assert before["linear"] < costs.alone(cell("linear", 100)) < 1.5 * before["linear"]


def test_certainty_grows_with_what_was_seen():
    costs = CostModel(measured({"linear": 1.0}))
    cells = [cell("linear", 400)]

    def spread():
        from tabbench.core.cell import Batch
        return float(np.std(np.log(costs.work([Batch(tuple(cells))]).seconds[0])))

    before = spread()
    costs.learn(cell("linear", 100), 6.0)
    after_one = spread()
    costs.learn(cell("linear", 400), 6.0)
    assert spread() < after_one < before


def test_a_cell_of_milliseconds_says_nothing_about_the_others():
    costs = CostModel(measured({"linear": 10.0, "linear+pca": 10.0}))
    costs.prices = Prices(lambda approach, size: CellCost(Expected({"dummy": 0.001}.get(approach, 10.0), 0.3),
                                                          Expected(1.0, 0.3), "measured"))
    before = costs.alone(cell("linear"))
    costs.learn(cell("dummy"), 0.2)
    assert costs.alone(cell("linear")) == pytest.approx(before, rel=0.1)


def test_peaks_are_learnt_above_what_a_child_holds_anyway():
    costs = CostModel(measured({"linear": 1.0}), base_mb=400.0)
    assert costs.cell_peak_mb(cell("linear")).median == pytest.approx(410.0)
    for fold in range(5):
        costs.learn_peak(cell("linear", fold=fold), 500.0)
    assert 425 < costs.cell_peak_mb(cell("linear")).median <= 505
    assert costs.upper_peak_mb([cell("linear")], 1.0) > costs.peak_mb([cell("linear")]).median
