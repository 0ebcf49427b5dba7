"""The schedule keeps sizes in order and drops whole sizes or whole approaches, never part of a size."""

import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tabbench.core.cell import Batch, Cell
from tabbench.executors.cost_model import CostModel
from tabbench.executors.costs import UNKNOWN_SPREAD, CellCost, Expected
from tabbench.executors.forecast import Prices
from tabbench.executors.schedule import BASELINE, REPRESENTATIVE, InFlight, Schedule, in_round_numbers


def cell(approach, size, fold, members=()):
    settings = {"members": {name: {} for name in members}} if members else {}
    return Cell("t", "k", "s", approach, 1, settings, size, 0, fold, 0, "cpu")


def batches(approaches, sizes, folds=3):
    return [Batch((cell(approach, size, fold),)) for size in sizes for fold in range(folds) for approach in approaches]


def together(members, sizes, folds=5):
    """One batch a split: every approach of `members` (name -> whose fits it reuses) in one child."""
    return [Batch(tuple(cell(name, size, fold, reused) for name, reused in members.items()))
            for size in sizes for fold in range(folds)]


def expecting(seconds, spread=0.1, memory=None):
    """A cost model that expects these seconds a cell at 100 rows, in proportion to the rows; NaN is unknown."""
    def own(approach, size):
        at_100 = seconds.get(approach, math.nan)
        known = "unknown" if math.isnan(at_100) else "measured"
        return CellCost(Expected(at_100 * size / 100, UNKNOWN_SPREAD if known == "unknown" else spread),
                        Expected((memory or {}).get(approach, 1.0), 0.1), known)
    return CostModel(Prices(own))


def drain(schedule, seconds, now=0.0):
    """Run the schedule on a fake clock with one worker; gives the cells that ran."""
    ran = []
    while (batch := schedule.next(now)) is not None:
        for place, each in enumerate(batch.cells):
            now += seconds(each)
            schedule.costs.learn(each, seconds(each), [done.approach for done in batch.cells[:place]])
            ran.append(each)
    return ran, now


def skipped(schedule):
    return {(skip.approach, skip.size) for skip in schedule.skips}


def test_without_a_limit_everything_runs_smallest_sizes_first():
    schedule = Schedule(reversed(batches(["a", "b"], [100, 200, 400])), jobs=2)
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert [each.size for each in ran] == sorted(each.size for each in ran) and len(ran) == 18
    assert schedule.skips == []


def test_judging_is_planned_for_by_what_there_will_be_to_judge():
    """600 cells would take all the time to judge; the first 3 of them hardly any, so they are not given up for the others."""
    sizes = [100, 200, 400, 800]
    schedule = Schedule(batches(["a"], sizes), jobs=1, costs=expecting({"a": 2.0}), deadline=40.0,
                        closing=lambda cells: 2.0 * cells)
    ran, now = drain(schedule, lambda cell: 2.0 * cell.size / 100)
    assert {each.size for each in ran} == {100, 200} and skipped(schedule) == {("a", 400), ("a", 800)}
    assert now + schedule.closing_seconds() <= 40.0
    assert schedule.deadline == pytest.approx(40.0 - 12.0) and schedule.closing_seconds(600) == pytest.approx(12.0)


@hypothesis_settings(deadline=None)
@given(st.floats(1, 400), st.lists(st.floats(0.01, 10), min_size=3, max_size=3), st.floats(0.5, 1.3))
def test_a_limit_drops_whole_units_and_says_each(limit, costs, growth):
    approaches, sizes = ["a", "b", "c"], [100, 200, 400, 800]
    schedule = Schedule(batches(approaches, sizes), jobs=1, deadline=limit)
    ran, _ = drain(schedule, lambda cell: costs["abc".index(cell.approach)] * (cell.size / 100) ** growth / 3)
    places = [(each.approach, each.size) for each in ran]
    whole = {place for place in places if places.count(place) == 3}
    assert whole | skipped(schedule) == {(name, size) for name in approaches for size in sizes}
    assert not whole & skipped(schedule)
    assert all("the time limit" in skip.reason for skip in schedule.skips)
    for name in approaches:  # what was dropped stays dropped at every larger size
        kept = [size for size in sizes if (name, size) in whole]
        assert kept == sizes[:len(kept)]


@pytest.mark.parametrize("truth", [0.5, 1.0, 1.6])
def test_the_end_comes_in_time_and_the_time_is_used(truth):
    expected = {"cheap": 0.3, "dear": 1.0, "dearer": 1.5}
    schedule = Schedule(batches(list(expected), [100, 200, 400, 800, 1600], folds=5), jobs=1, deadline=100.0,
                        costs=expecting(expected, spread=0.3))
    _, ended = drain(schedule, lambda cell: truth * expected[cell.approach] * cell.size / 100)
    assert 60 <= ended <= 110 and schedule.skips


def test_a_limit_drops_the_hog_before_the_size():
    schedule = Schedule(batches(["hog", "quick"], [100, 200]), jobs=1, deadline=100)
    ran, _ = drain(schedule, lambda cell: 20.0 if cell.approach == "hog" else 1.0)
    assert {(each.approach, each.size) for each in ran} == {("hog", 100), ("quick", 100), ("quick", 200)}
    assert skipped(schedule) == {("hog", 200)}


FAMILIES = {"dummy": BASELINE, "linear": REPRESENTATIVE, "boosting": REPRESENTATIVE, "mlp": REPRESENTATIVE}
SECONDS = {"dummy": 0.01, "linear": 1.0, "forest": 4.0, "linear+pca": 2.0, "xgboost": 5.0, "lightgbm": 3.0, "boosting": 0.1,
           "mlp": 10.0, "blend": 0.2}
REUSED = {"boosting": ("xgboost", "lightgbm"), "blend": ("linear", "boosting", "mlp")}


def only_full(limit, **options):
    schedule = Schedule(together({name: REUSED.get(name, ()) for name in SECONDS}, [100]), jobs=1, deadline=limit,
                        costs=expecting(SECONDS), importance=FAMILIES, **options)
    drain(schedule, lambda cell: SECONDS[cell.approach])
    return {name for name, _ in skipped(schedule)}


def test_with_one_size_approaches_go_and_each_family_keeps_one():
    total = 5 * sum(SECONDS.values())
    assert only_full(1.05 * total) == set()
    assert only_full(total - 5) == {"linear+pca"}  # the cheapest whose loss is enough
    assert only_full(total - 15) == {"forest"}
    assert only_full(total - 25) == {"forest", "linear+pca"}  # none alone is enough: the costliest first


def test_representatives_go_last_with_all_that_hangs_on_them_and_never_the_last_one():
    assert only_full(60) == {"forest", "mlp", "blend"}
    assert only_full(20) == set(SECONDS) - {"dummy", "linear", "linear+pca"}
    assert only_full(1) == set(SECONDS)  # after one split the time was up


def test_boosted_trees_outlast_nets_though_they_cost_more():
    seconds = SECONDS | {"xgboost": 15.0, "lightgbm": 15.0}
    ranks = FAMILIES | {"mlp": REPRESENTATIVE, "boosting": REPRESENTATIVE + 1, "linear": REPRESENTATIVE + 2}
    schedule = Schedule(together({name: REUSED.get(name, ()) for name in seconds}, [100]), jobs=1, deadline=165,
                        costs=expecting(seconds), importance=ranks)
    drain(schedule, lambda cell: seconds[cell.approach])
    assert {name for name, _ in skipped(schedule)} == {"mlp", "blend", "forest", "linear+pca"}


def test_an_ensemble_leaves_its_place_to_one_of_its_members_before_the_family_goes():
    names = {"dummy": (), "linear": (), "lightgbm": (), "xgboost": (), "boosting": ("lightgbm", "xgboost")}
    seconds = {"dummy": 0.1, "linear": 1.0, "lightgbm": 8.0, "xgboost": 5.0, "boosting": 0.1}
    ranks = {"dummy": BASELINE, "boosting": REPRESENTATIVE, "linear": REPRESENTATIVE + 1}
    for limit, left in ((75, {"dummy", "linear", "lightgbm", "xgboost", "boosting"}), (55, {"dummy", "linear", "lightgbm"}),
                        (35, {"dummy", "linear", "xgboost"}), (24, {"dummy", "linear"})):
        schedule = Schedule(together(names, [100]), jobs=1, deadline=limit, costs=expecting(seconds), importance=ranks)
        drain(schedule, lambda cell: seconds[cell.approach])
        assert set(names) - {name for name, _ in skipped(schedule)} == left


def test_the_refit_of_the_winner_is_planned_for():
    total = 5 * sum(SECONDS.values())
    assert only_full(1.1 * total, refit_rows=125) != set()  # blend on all rows takes as long as a batch and a quarter
    assert only_full(1.5 * total, refit_rows=125) == set()


def test_at_larger_sizes_the_size_goes_before_a_family_does():
    names = {"dummy": (), "linear": (), "mlp": (), "forest": ()}
    schedule = Schedule(together(names, [100, 400]), jobs=1, deadline=100, costs=expecting(SECONDS), importance=FAMILIES)
    drain(schedule, lambda cell: SECONDS[cell.approach] * cell.size / 100)
    assert skipped(schedule) == {(name, 400) for name in names}


def test_a_cell_that_costs_more_than_expected_drops_approaches_in_the_middle_of_a_size():
    names = {"dummy": (), "linear": (), "mlp": (), "forest": ()}
    schedule = Schedule(together(names, [100]), jobs=1, deadline=90, costs=expecting(SECONDS), importance=FAMILIES)
    ran, ended = drain(schedule, lambda cell: 1.5 * SECONDS[cell.approach])
    assert skipped(schedule) == {("forest", 100)}
    assert [each.approach for each in ran].count("mlp") == 5 and ended <= 1.1 * 90


def test_what_was_given_up_comes_back_when_the_rest_was_cheaper_than_expected():
    names = {"dummy": (), "linear": (), "mlp": (), "forest": ()}
    schedule = Schedule(together(names, [100, 400]), jobs=1, deadline=120, costs=expecting(SECONDS), importance=FAMILIES)
    ran, ended = drain(schedule, lambda cell: 0.3 * SECONDS[cell.approach] * cell.size / 100)
    assert skipped(schedule) == set() and len(ran) == 40 and ended <= 120


def test_at_the_largest_size_the_long_batches_come_first_and_keep_all_children_busy():
    long, short = [Batch((cell("mlp", 100, fold),)) for fold in range(5)], batches(["linear"], [100], folds=5)
    schedule = Schedule([each for pair in zip(short, long, strict=True) for each in pair], jobs=2, costs=expecting(SECONDS))
    order = []
    while (batch := schedule.next(0.0)) is not None:
        order.append(batch)
    wall = schedule.costs.work(order).wall_seconds(2).mean()
    assert [batch.cells[0].approach for batch in order] == ["mlp"] * 5 + ["linear"] * 5
    assert wall < 1.12 * schedule.costs.work(order).seconds.sum(axis=0).mean() / 2


def test_what_is_unknown_comes_last_under_a_limit_so_that_it_cannot_block_the_rest():
    schedule = Schedule(batches(["own", "linear"], [100]), jobs=1, deadline=100, costs=expecting(SECONDS))
    assert [schedule.next(0.0).cells[0].approach for _ in range(6)] == ["linear"] * 3 + ["own"] * 3


def test_time_left_counts_what_runs_and_is_unknown_as_long_as_an_approach_is():
    schedule = Schedule(batches(["linear", "mlp"], [100]), jobs=1, costs=expecting(SECONDS))
    first = schedule.next(0.0)
    left = schedule.remaining_seconds([InFlight(first.cells, (), 0.5)])
    assert left == pytest.approx(3 * (SECONDS["linear"] + SECONDS["mlp"]) - 0.5, rel=0.2)
    unknown = Schedule(batches(["own"], [100]), jobs=1, costs=expecting(SECONDS))
    assert unknown.remaining_seconds() is None
    unknown.costs.learn(cell("own", 100, 0), 2.0)
    assert unknown.remaining_seconds() == pytest.approx(6.0, rel=0.25)


def test_a_batch_waits_for_room_and_what_can_never_have_it_is_dropped():
    costs = expecting(SECONDS, memory={"mlp": 3_000, "linear": 100})
    schedule = Schedule(batches(["mlp", "linear"], [100], folds=1), jobs=2, costs=costs)
    assert schedule.next(0.0, room_mb=1_000).cells[0].approach == "linear"
    assert schedule.next(0.0, room_mb=1_000) is None and schedule.waiting
    assert schedule.drop_too_large(2_000, "needs {need}")
    assert [(skip.approach, skip.reason) for skip in schedule.skips] == [("mlp", f"needs {in_round_numbers(3_000)}")]


def test_an_approach_can_be_taken_out_of_every_size():
    schedule = Schedule([Batch((cell("a", size, 0), cell("b", size, 0))) for size in (100, 200)], jobs=1)
    schedule.drop_approaches({"a": "gone"})
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert [each.approach for each in ran] == ["b", "b"]
    assert {(skip.approach, skip.size, skip.reason) for skip in schedule.skips} == {("a", 100, "gone"), ("a", 200, "gone")}
