"""Comparisons under a time limit, run for real: they keep it, use it, and say how to repeat them without a clock."""

import json
import shlex
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import tabbench
from tabbench.comparison.completed import judged
from tabbench.comparison.plan import plan_batches
from tabbench.comparison.plan_options import options_of
from tabbench.comparison.planner import FIRST_LOOK_EFFORT, Planner, all_contestants
from tabbench.comparison.run import Run
from tabbench.core.cell import Batch, Result
from tabbench.core.errors import BadOption
from tabbench.costs.prior import PriorCosts
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup

LIMIT = 12


def table(rows=1500, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 6))
    town = rng.choice(["Bern", "Basel", "Chur"], rows)
    y = numbers[:, 0] * numbers[:, 1] + (town == "Bern") + np.sin(2 * numbers[:, 2]) + rng.normal(size=rows) / 2
    return pd.DataFrame(numbers, columns=[f"n{place}" for place in range(6)]).assign(town=town, y=y)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A run in a limit that is too short for all of it, its winner saved, and how long it took."""
    began = time.monotonic()
    comparison = tabbench.compare(table(), "y", approaches="linear,lightgbm,forest", time_limit=LIMIT, save_winner=True, jobs=2,
                                  quiet=True, out=tmp_path_factory.mktemp("limited") / "run")
    return comparison, time.monotonic() - began


def test_the_largest_size_is_judged_and_what_the_limit_cost_is_said(limited):
    comparison, _ = limited
    assert comparison.protocol["headline_size"] == comparison.protocol["full_size"] == 1200
    assert {"dummy", "linear"} < set(comparison.scores["approach"]), "trees, at least in one form"
    plan = comparison.protocol["plan"]
    assert plan["reason"] == "the largest plan that was expected to end within 12 s"
    assert json.loads((comparison.folder / "manifest.json").read_text())["plan"]["effort"] == plan["effort"]
    is_whole = plan["effort"] >= 0.3 and plan["splits"] == 10 and len(plan["sizes"]) == len(comparison.protocol["sizes"])
    assert is_whole or "the time limit cost" in comparison.sentence
    assert {row.reason for row in comparison.skipped.itertuples()} <= {"the time limit (--time-limit) would have been exceeded"}


def test_the_limit_is_kept(limited):
    assert limited[1] <= LIMIT + 2


def test_the_winner_is_saved_with_no_less_work_than_it_was_compared_with(limited):
    comparison, _ = limited
    with Store(comparison.folder) as store:
        assert store.recall("winner_effort") >= comparison.protocol["effort"]
    predictions, _ = tabbench.predict(comparison.folder / "winner", table(50, seed=1))
    assert np.corrcoef(predictions["prediction"], table(50, seed=1)["y"])[0, 1] > 0.5
    assert not list(comparison.folder.glob(".winner*"))


@pytest.mark.slow
def test_the_options_that_are_printed_repeat_the_run_exactly(limited, tmp_path):
    comparison, _ = limited
    words = shlex.split(comparison.protocol["plan"]["options"])
    options = {name.removeprefix("--").replace("-", "_"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    again = tabbench.compare(table(), "y", **options, executor="in-process", quiet=True, out=tmp_path / "again")
    for name in ("scores", "pairs", "winners"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(comparison, name))
    assert again.protocol["splits"] == comparison.protocol["splits"]
    assert "time limit" not in again.sentence and again.skipped.empty


@pytest.mark.slow
def test_a_run_that_a_limit_has_ended_goes_on_with_its_effort_and_the_same_cells(limited):
    comparison, _ = limited
    with Store(comparison.folder) as store:
        before = store.finished()
    more = tabbench.compare(table(), "y", approaches="linear,lightgbm,forest", time_limit=LIMIT / 2, jobs=2, quiet=True,
                            out=comparison.folder)
    assert more.protocol["effort"] == comparison.protocol["effort"]
    has_new_approach = set(more.scores["approach"]) > set(comparison.scores["approach"])
    assert more.protocol["splits"] >= comparison.protocol["splits"] or has_new_approach
    with Store(comparison.folder) as store:
        assert before <= store.finished()


def test_what_a_limit_has_left_out_at_some_sizes_is_left_out_by_the_options_that_are_printed(small_setup, tmp_path):
    planner = planner_of(small_setup, effort=1.0, approaches="linear,lightgbm", skip="linear@30")
    plan = planner.wish().most
    assert options_of(plan, planner, {("lightgbm", 30)}).endswith("--skip linear@30,lightgbm@30")
    cells = [cell for batch in planner.batches(plan, planner.wish()) for cell in batch.cells]
    assert {(cell.approach, cell.size) for cell in cells} == {
        ("dummy", 30), ("dummy", 60), ("linear", 60), ("lightgbm", 30), ("lightgbm", 60)}


@pytest.mark.parametrize("skip, message", [
    ("forst@60", "skip names 'forst'; "), ("linear@61", "skip names 61 rows, which is none of the sizes: 60"),
    ("linear", "skip takes approaches at sizes, as forest@400, not 'linear'")])
def test_a_pair_that_is_not_there_cannot_be_skipped(skip, message):
    with pytest.raises(BadOption, match=message):
        tabbench.compare(table(90), "y", approaches="linear,forest", sizes=[60], skip=skip, dry_run=True, quiet=True)


# the first look ------------------------------------------------------------------------------------------------------


def planner_of(setup, **options):
    checked = Options(**options).checked()
    contestants, prior = all_contestants(checked), PriorCosts.load()
    return Planner(setup, contestants, (30, 60), checked, prior, 2, "cpu", contestants.costs(setup, checked.work, prior),
                   lambda cells: 1.0)


def test_no_more_is_kept_for_the_winner_than_the_one_that_leads_can_use(small_setup):
    planner = planner_of(small_setup, effort=0.01, approaches="linear,boosting,mlp", save_winner=True, time_limit=60)
    plan = planner.wish().most
    for_any, for_linear = (planner.reserve_seconds(plan, 90.0, leader=leader) for leader in (None, "linear"))
    assert planner.refit_seconds("mlp", 0.01) <= for_linear < for_any, "another may still win, with the comparison's effort"
    assert planner.reserve_seconds(plan, 90.0, leader="mlp") <= for_any


def test_a_first_look_is_one_cheap_cell_of_each_family_at_the_largest_size_where_it_saves_time(small_setup, monkeypatch):
    planner = planner_of(small_setup, effort=1.0)
    plan = planner.wish().most
    assert planner.first_look(plan) == []  # such a table takes no time
    monkeypatch.setattr("tabbench.comparison.planner.FIRST_LOOK_WORTH_SECONDS", 0.0)
    cells = [cell for batch in planner.first_look(plan) for cell in batch.cells]
    assert {cell.approach for cell in cells} == {"dummy", "linear", "xgboost", "lightgbm", "boosting", "mlp"}
    assert {(cell.size, cell.repeat, cell.fold) for cell in cells} == {(60, 0, 0)}
    planned = {cell.key for batch in planner.batches(plan, planner.wish()) for cell in batch.cells}
    assert not planned & {cell.key for cell in cells if cell.approach != "dummy"}
    assert planner.first_look(replace(plan, effort=FIRST_LOOK_EFFORT)) == []  # the plan is cheap itself
    monkeypatch.setattr("tabbench.comparison.planner.MOST_LOOK_SHARE_OF_PLAN", 0.0)
    assert planner.first_look(plan) == []  # the look would take too much of it


def test_where_nothing_else_was_finished_the_first_look_is_judged_and_says_so(small_setup, tmp_path):
    planner = planner_of(small_setup, effort=1.0)
    look = planner_of(small_setup, effort=FIRST_LOOK_EFFORT, approaches="linear,lightgbm,mlp")
    one = replace(small_setup, splits=small_setup.splits.first(1))
    batches = plan_batches(one, look.contestants, [60], effort=FIRST_LOOK_EFFORT, device="cpu")
    cells = [cell for batch in batches for cell in batch.cells]
    planned = [cell for batch in planner.batches(planner.wish().most, planner.wish()) for cell in batch.cells]
    run = Run(small_setup, planner.contestants.entries(small_setup, 1.0), (30, 60), 1.0, None, planned)
    rng = np.random.default_rng(0)
    with RunFolder.open(tmp_path / "run") as folder, Store(folder.path) as store:
        folder.keep()
        save_setup(small_setup, folder.path)
        store.declare([Batch((cell,)) for cell in cells])
        assert "no verdict yet" in judged(run, store).sentence
        for cell in cells:
            chance = rng.uniform(0.3, 0.7, len(small_setup.split(cell.repeat, cell.fold).test))
            store.put([Result(cell.key, "ok", predictions=np.column_stack([1 - chance, chance]).astype(np.float32))])
        store.remember(first_look=[cell.key for cell in cells])
        comparison = judged(run, store)
    assert comparison.protocol["splits"] == 1 and set(comparison.scores["approach"]) == {"dummy", "linear", "lightgbm", "mlp"}
    assert "everything but a first look with little work" in comparison.sentence
