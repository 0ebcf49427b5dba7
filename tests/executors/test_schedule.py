"""The schedule keeps sizes in order and drops whole sizes or whole approaches, never part of a size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.core.cell import Batch, Cell
from tabbench.executors.schedule import CostModel, Schedule


def cell(approach, size, fold):
    return Cell("t", "k", "s", approach, 1, {}, size, 0, fold, 0, "cpu")


def batches(approaches, sizes, folds=3):
    return [Batch((cell(approach, size, fold),)) for size in sizes for fold in range(folds) for approach in approaches]


def drain(schedule, seconds, now=0.0):
    """Run the schedule on a fake clock with one worker; gives the cells that ran."""
    ran = []
    while (batch := schedule.next(now)) is not None:
        for each in batch.cells:
            now += seconds(each)
            schedule.costs.learn(each.approach, each.size, seconds(each))
            ran.append(each)
    return ran, now


def test_without_a_limit_everything_runs_smallest_sizes_first():
    schedule = Schedule(reversed(batches(["a", "b"], [100, 200, 400])), jobs=2)
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert [each.size for each in ran] == sorted(each.size for each in ran) and len(ran) == 18
    assert schedule.skips == []


@given(st.floats(1, 400), st.lists(st.floats(0.01, 10), min_size=3, max_size=3), st.floats(0.5, 1.3))
def test_a_limit_drops_whole_units_and_says_each(limit, costs, growth):
    approaches, sizes = ["a", "b", "c"], [100, 200, 400, 800]
    schedule = Schedule(batches(approaches, sizes), jobs=1, deadline=limit)
    ran, _ = drain(schedule, lambda cell: costs["abc".index(cell.approach)] * (cell.size / 100) ** growth / 3)
    done = {(each.approach, each.size) for each in ran}
    skipped = {(skip.approach, skip.size) for skip in schedule.skips}
    assert done | skipped == {(name, size) for name in approaches for size in sizes} and not done & skipped
    assert all(sum((each.approach, each.size) == pair for each in ran) == 3 for pair in done)
    assert all("the time limit" in skip.reason for skip in schedule.skips)
    for name in approaches:  # what was dropped stays dropped at every larger size
        kept = [size for size in sizes if (name, size) in done]
        assert kept == sizes[:len(kept)]


def test_a_limit_drops_the_hog_before_the_size():
    schedule = Schedule(batches(["hog", "quick"], [100, 200]), jobs=1, deadline=100)
    ran, _ = drain(schedule, lambda cell: 20.0 if cell.approach == "hog" else 1.0)
    assert {(each.approach, each.size) for each in ran} == {("hog", 100), ("quick", 100), ("quick", 200)}
    assert [(skip.approach, skip.size) for skip in schedule.skips] == [("hog", 200)]


def test_steady_growth_is_forecast():
    costs = CostModel()
    assert costs.forecast("a", 100) is None
    costs.learn("a", 100, 1.0)
    assert costs.forecast("a", 200) == pytest.approx(2**0.6)
    costs.learn("a", 200, 2.4)
    assert costs.forecast("a", 400) == pytest.approx(2.4 * 2.4)
    assert costs.forecast("a", 6400) < 2.4 * 2.4**5  # far away, the growth between two small sizes is not trusted
    costs.learn("a", 400, 1.0)  # a size that was cheaper by luck does not promise a free larger one
    assert costs.forecast("a", 800) > 1.0


def test_an_approach_can_be_taken_out_of_every_size():
    schedule = Schedule([Batch((cell("a", size, 0), cell("b", size, 0))) for size in (100, 200)], jobs=1)
    schedule.drop_approaches({"a": "gone"})
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert [each.approach for each in ran] == ["b", "b"]
    assert {(skip.approach, skip.size, skip.reason) for skip in schedule.skips} == {("a", 100, "gone"), ("a", 200, "gone")}
