"""The largest plan that fits gives up what matters least first, and families last."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.comparison.time_plan import SPARED_EFFORT, Wish, WorkPlan, largest_plan, what_is_given_up

SIZES = (62, 125, 250, 500, 1000, 2000, 4000)
SECONDS = {"dummy": 0.001, "linear": 1.0, "linear+pca": 1.0, "lightgbm": 2.0, "xgboost": 2.0, "boosting": 0.1, "mlp": 3.0,
           "blend": 0.1}
EXPENDABLE = (frozenset({"linear+pca"}),)
CHEAPEST = tuple(frozenset(names) for names in (["blend"], ["boosting", "xgboost"]))
FAMILIES = tuple(frozenset(names) for names in (["mlp"], ["lightgbm", "xgboost", "boosting"]))
MOST = WorkPlan(0.3, tuple(SECONDS), SIZES, 15)
WISH = Wish(MOST, 0.01, 6.0, 5, SIZES, lambda effort: tuple(SECONDS), EXPENDABLE, CHEAPEST, FAMILIES)


def seconds(plan):
    """In proportion to effort, rows and splits, with a little that no plan saves."""
    a_split = sum(SECONDS[name] for name in plan.approaches) * sum(plan.sizes) / 4000
    return plan.splits * a_split * (0.01 + plan.effort)


def plan_for(limit, wish=WISH):
    return largest_plan(wish, lambda plan: seconds(plan) <= limit)


def test_with_time_to_spare_only_the_effort_grows():
    plan = plan_for(3 * seconds(MOST))
    assert replace(plan, effort=0.3) == MOST and 0.7 < plan.effort < 0.95
    assert plan_for(1e9) == replace(MOST, effort=6.0)
    settled = replace(WISH, least_effort=0.3, highest_effort=0.3)
    assert plan_for(1e9, settled) == MOST


def test_what_gives_way_and_in_which_order():
    order = []
    for limit in [seconds(MOST) * 0.985**step for step in range(900)]:
        plan = plan_for(limit)
        state = (plan.splits, len(plan.sizes), plan.sizes[-1], len(plan.approaches), plan.effort >= SPARED_EFFORT)
        if not order or order[-1] != state:
            order.append(state)
    assert order == [
        (15, 7, 4000, 8, True), (10, 7, 4000, 8, True), (5, 7, 4000, 8, True),  # repeats
        (5, 4, 4000, 8, True),  # every second size, then effort down to what is spared
        (5, 4, 4000, 7, True),  # variants and second members
        (3, 4, 4000, 7, True),  # folds
        (3, 2, 4000, 7, True), (3, 2, 4000, 7, False),  # sizes but two, then the rest of the effort
        (3, 2, 4000, 4, False),  # blend and ensembles
        (1, 2, 4000, 4, False),  # folds but one
        (1, 2, 2000, 4, False), (1, 2, 1000, 4, False), (1, 2, 500, 4, False), (1, 2, 250, 4, False), (1, 2, 125, 4, False),
        (1, 1, 62, 4, False), (1, 1, 62, 3, False), (1, 1, 62, 2, False)]


@given(st.floats(1e-3, 1e3), st.floats(1.0, 3.0))
def test_more_time_never_gives_less_of_what_comes_last_in_the_order_and_every_plan_fits(limit, factor):
    less, more = plan_for(limit), plan_for(limit * factor)
    assert seconds(less) <= limit or less.sizes == (62,)
    assert less.sizes[-1] <= more.sizes[-1]
    assert len({*less.approaches} & {"linear", "lightgbm", "mlp"}) <= len({*more.approaches} & {"linear", "lightgbm", "mlp"})
    if seconds(less) <= limit and less.sizes[-1] == 4000:
        assert seconds(less) >= 0.4 * limit or less.effort == 6.0


def test_a_preset_is_the_most_and_a_settled_effort_stays():
    fast = replace(WISH, most=replace(MOST, effort=0.1), highest_effort=0.1)
    assert plan_for(1e9, fast).effort == 0.1
    settled = replace(WISH, least_effort=0.3, highest_effort=0.3)
    for limit in (0.1, 1.0, 10.0, 100.0):
        assert plan_for(limit, settled).effort == 0.3


@pytest.mark.parametrize(("plan", "words"), [
    (MOST, ()),
    (replace(MOST, effort=1.0), ()),
    (replace(MOST, splits=5), ("2 of 3 repeats",)),
    (replace(MOST, splits=1), ("2 of 3 repeats", "4 of 5 folds")),
    (replace(MOST, sizes=(62, 4000), effort=0.12), ("5 of 7 sizes", "effort (0.12 instead of 0.3)")),
    (replace(MOST, sizes=(62, 500), approaches=("dummy", "linear")),
     ("all rows beyond 500", "linear+pca", "lightgbm", "xgboost", "boosting", "mlp", "blend"))])
def test_what_is_given_up_in_words(plan, words):
    assert what_is_given_up(plan, MOST, 5) == words
