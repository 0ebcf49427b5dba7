"""The schedule begins what is worth most first, and only what will be done in time."""

import math

import pytest

from tabbench.core.cell import Batch, Cell
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import Prices
from tabbench.costs.prior import UNKNOWN_SPREAD, CellCost, Expected
from tabbench.execution.agenda import Agenda
from tabbench.execution.schedule import Schedule, in_round_numbers
from tabbench.execution.work import InFlight


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


def places(ran):
    return [(each.size, each.fold) for each in ran]


def test_without_a_limit_the_largest_size_comes_first_then_the_one_at_a_tenth_then_the_others():
    schedule = Schedule(batches(["a", "b"], [50, 100, 200, 400, 1000]), jobs=2)
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert list(dict.fromkeys(each.size for each in ran)) == [1000, 100, 400, 200, 50] and len(ran) == 30
    assert [each.fold for each in ran[:6]] == [0, 0, 1, 1, 2, 2]  # split by split
    assert schedule.skips == []


def test_a_worker_is_given_what_it_is_ready_for_and_nothing_that_begins_with_what_it_is_not():
    members = {"a": (), "b": (), "c": ("a", "b")}
    schedule = Schedule([*batches(["b"], [100], folds=1), *together(members, [100], folds=1), *batches(["d"], [100], folds=1)],
                        jobs=2, costs=expecting({"b": 9.0, "a": 3.0, "c": 3.0, "d": 1.0}))
    names = [[each.approach for each in schedule.next(0.0, unready={"b", "c"}).cells] for _ in range(2)]
    assert names == [["d"], ["a", "b", "c"]] and schedule.next(0.0, unready={"b"}) is None
    assert [each.approach for each in schedule.next(0.0).cells] == ["b"] and schedule.skips == []


def test_judging_is_planned_for_by_what_there_will_be_to_judge():
    schedule = Schedule(batches(["a"], [100, 1000]), jobs=1, costs=expecting({"a": 0.2}), deadline=8.0,
                        closing=lambda cells: 0.3 * cells)
    ran, now = drain(schedule, lambda cell: 0.2 * cell.size / 100)
    assert places(ran) == [(1000, fold) for fold in range(3)]  # three more of 0.2 s would take 0.9 s more to be judged
    assert now + schedule.closing_seconds() <= 8.0 and schedule.deadline == pytest.approx(8.0 - 0.9)


LIMITED = {"planned_splits": 5, "planned_sizes": [100, 400, 1600]}
SPLITS = [(repeat, fold) for repeat in range(3) for fold in range(5)]


def repeated(approaches, sizes):
    cells = [Cell("t", "k", "s", name, 1, {}, size, repeat, fold, 0, "cpu")
             for size in sizes for repeat, fold in SPLITS for name in approaches]
    return [Batch((each,)) for each in cells]


def limited(seconds, deadline, expected, approaches=("a", "b"), **options):
    agenda = Agenda(SPLITS, 5, [100, 200, 400, 800, 1600], **LIMITED)
    schedule = Schedule(repeated(approaches, [100, 200, 400, 800, 1600]), jobs=1, deadline=deadline, agenda=agenda,
                        costs=expecting(expected), **options)
    return schedule, *drain(schedule, seconds)


def whole(ran, names=2):
    """The sizes that are complete on the first 5, 10 and 15 splits."""
    done = {(each.size, each.repeat) for each in ran}
    count = {pair: sum((each.size, each.repeat) == pair for each in ran) for pair in done}
    return {repeat: sorted(size for size, each in done if each == repeat and count[size, each] == 5 * names)
            for repeat in range(3)}


def cost(cell):
    return 0.1 * cell.size / 100


def test_what_is_left_of_a_limit_goes_into_the_next_repeat_then_into_skipped_sizes():
    at_once = 10 * (0.1 + 0.4 + 1.6)  # the planned sizes on five splits
    _, ran, now = limited(cost, 1.02 * at_once, {"a": 0.1, "b": 0.1})
    assert whole(ran) == {0: [100, 400, 1600], 1: [], 2: []} and len(ran) == 30
    _, ran, now = limited(cost, 1.3 * at_once, {"a": 0.1, "b": 0.1})
    assert whole(ran) == {0: [100, 200, 400, 1600], 1: [], 2: []}  # another repeat would not fit, nor would 800
    _, ran, now = limited(cost, 2.1 * at_once, {"a": 0.1, "b": 0.1})
    assert whole(ran) == {0: [100, 400, 1600], 1: [100, 400, 1600], 2: []} and now <= 2.1 * at_once
    _, ran, now = limited(cost, 1000.0, {"a": 0.1, "b": 0.1})
    assert len(ran) == 150


@pytest.mark.parametrize("truth", [0.5, 1.0, 1.6])
def test_the_end_comes_in_time_and_the_time_is_used(truth):
    _, ran, ended = limited(lambda cell: truth * cost(cell), 60.0, {"a": 0.1, "b": 0.1})
    assert 0.7 * 60 <= ended <= 60 or len(ran) == 150
    assert {each.size for each in ran} >= {1600}


def test_where_a_split_is_late_the_next_ones_are_not_begun_and_smaller_sizes_are_run_on_those_that_are_there():
    _, ran, now = limited(lambda cell: 3 * cost(cell), 32.0, {"a": 0.1, "b": 0.1})
    largest = [each for each in ran if each.size == 1600]
    assert 2 <= len(largest) <= 6 and now <= 34
    folds = {each.fold for each in largest}
    assert {each.fold for each in ran} == folds and all({each.fold for each in ran if each.size == size} == folds
                                                        for size in {each.size for each in ran})


REUSED = {"boosting": ("xgboost", "lightgbm"), "blend": ("linear", "boosting", "mlp")}
SECONDS = {"dummy": 0.01, "linear": 1.0, "forest": 4.0, "linear+pca": 2.0, "xgboost": 5.0, "lightgbm": 3.0, "boosting": 0.1,
           "mlp": 10.0, "blend": 0.2}
EXPENDABLE = [frozenset(names) for names in (["linear+pca"], ["forest"], ["blend"], ["boosting", "xgboost"], ["mlp"])]


@pytest.mark.parametrize(("limit", "dropped"), [
    (30, set()), (21, {"linear+pca", "forest"}),
    (15, {"linear+pca", "forest", "blend", "boosting", "xgboost"}),
    (6, {"linear+pca", "forest", "blend", "boosting", "xgboost", "mlp"})])
def test_where_not_even_the_first_split_fits_approaches_are_dropped_in_the_given_order(limit, dropped):
    schedule = Schedule(together({name: REUSED.get(name, ()) for name in SECONDS}, [100]), jobs=1, deadline=limit,
                        costs=expecting(SECONDS), expendable=EXPENDABLE)
    drain(schedule, lambda cell: SECONDS[cell.approach])
    assert {name for name, _ in skipped(schedule)} == dropped
    assert all("the time limit" in skip.reason for skip in schedule.skips)


@pytest.mark.parametrize(("limit", "dropped"), [
    (25, {"linear+pca", "forest"}), (17, {"linear+pca", "forest", "blend", "boosting", "xgboost"}),
    (8, {"linear+pca", "forest", "blend", "boosting", "xgboost", "mlp"})])
def test_what_is_precious_is_dropped_only_after_the_time_for_the_winner_was_given_up(limit, dropped):
    """With 4 s kept free, linear, lightgbm and mlp, which take 14 s, are not in time within 17 s."""
    schedule = Schedule(together({name: REUSED.get(name, ()) for name in SECONDS}, [100]), jobs=1, deadline=limit,
                        costs=expecting(SECONDS), expendable=EXPENDABLE[:-1], precious=EXPENDABLE[-1:], reserve_seconds=4.0)
    drain(schedule, lambda cell: SECONDS[cell.approach])
    assert {name for name, _ in skipped(schedule)} == dropped


def test_what_an_earlier_call_has_run_is_passed_and_the_rest_goes_on():
    left = [batch for batch in repeated(["a"], [100, 400, 1600]) if batch.cells[0].repeat or batch.cells[0].size < 400]
    schedule = Schedule(left, jobs=1, agenda=Agenda(SPLITS, 5, [100, 400, 1600], planned_splits=10))
    ran, _ = drain(schedule, lambda cell: 1.0)
    assert places(ran[:5]) == [(100, fold) for fold in range(5)] and len(ran) == 20


def test_time_is_kept_for_fitting_the_winner():
    without, _, _ = limited(cost, 30.0, {"a": 0.1, "b": 0.1})
    keeping, ran, now = limited(cost, 30.0, {"a": 0.1, "b": 0.1}, reserve_seconds=6.0)
    assert now <= 24.0 and keeping.deadline == pytest.approx(without.deadline - 6.0)
    assert 1600 in whole(ran)[0]


def test_what_is_kept_free_goes_back_to_cells_once_less_will_do_for_the_winner():
    def keeping(*lowered):
        agenda = Agenda(SPLITS, 5, [100, 200, 400, 800, 1600], **LIMITED)
        schedule = Schedule(repeated("ab", [100, 200, 400, 800, 1600]), jobs=1, deadline=30.0, agenda=agenda,
                            costs=expecting({"a": 0.1, "b": 0.1}), reserve_seconds=15.0)
        for seconds in lowered:
            schedule.keep_free(seconds)
        return drain(schedule, cost)

    assert keeping()[1] <= 15.0
    assert keeping(99.0) == keeping()
    assert 15.0 < keeping(6.0)[1] <= 24.0


def test_in_a_stage_the_constant_predictor_comes_first_then_the_longest_batches():
    schedule = Schedule(batches(["linear", "dummy", "mlp", "lightgbm"], [100], folds=2), jobs=2, costs=expecting(SECONDS))
    order = [schedule.next(0.0).cells[0].approach for _ in range(8)]
    assert order == ["dummy", "mlp", "lightgbm", "linear"] * 2


def test_what_is_unknown_comes_last_under_a_limit_so_that_it_cannot_block_the_rest():
    schedule = Schedule(batches(["own", "linear"], [100]), jobs=1, deadline=100, costs=expecting(SECONDS))
    assert [schedule.next(0.0).cells[0].approach for _ in range(6)] == ["linear", "own"] * 3  # split by split


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
