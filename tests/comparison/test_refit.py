"""The winner's fits with growing work: which one follows, and which one is taken."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import tabbench
from tabbench.comparison.export import next_step
from tabbench.comparison.plan import choose_contestants, plan_batches
from tabbench.comparison.refit import Refit
from tabbench.core.errors import BadOption
from tabbench.core.executor import Needs
from tabbench.execution.kept_models import keeping_in
from tabbench.execution.local import LocalExecutor
from tabbench.execution.run import execute
from tabbench.model.saving import load_model
from tabbench.options import Options
from tabbench.report.live import QuietDisplay
from tabbench.store.database import Store
from tabbench.store.setups import load_setup

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
STEPS = [(0.01, 1.0), (0.02, 2.0), (0.1, 10.0), (1.0, 100.0)]


@pytest.mark.parametrize(("done", "seconds", "left", "following"), [
    (0, 1.0, 15.0, 2), (0, 1.0, 14.0, 1), (0, 0.5, 127.0, 3), (1, 2.0, 2.1, None), (2, 10.0, 1000.0, 3), (3, 1.0, 1e6, None)])
def test_the_largest_step_that_should_be_in_time_follows(done, seconds, left, following):
    assert next_step(STEPS, done, seconds, left) == following


def test_a_little_more_work_is_not_worth_a_fit():
    assert next_step([(0.1, 1.0), (0.12, 1.2)], 0, 1.0, 100.0) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(4000, 3)), columns=list("abc"))
    return tabbench.compare(table.assign(y=table.a + rng.normal(size=4000)), "y", approaches="linear,lightgbm", effort=0.01,
                            sizes="full", folds=2, repeats=1, quiet=True, executor="in-process",
                            out=tmp_path_factory.mktemp("compared") / "run").folder


def refit(folder, approach, steps, seconds):
    """What a planner that expects so many seconds leads to."""
    planner = SimpleNamespace(device="cpu", jobs=1, contestants=SimpleNamespace(aliases={}), refit_steps=lambda *_: steps)
    with Store(folder) as store, LocalExecutor(store, jobs=1, needs=Needs()) as executor:
        executor.wait_until_warm()
        begun = Refit.begin(executor, folder, planner, approach, steps[0][0], time.monotonic() + seconds)
        return begun.take(QuietDisplay())


def test_the_last_fit_that_is_complete_is_saved(folder):
    effort = refit(folder, "lightgbm", [(0.01, 1.0), (0.3, 2.0)], 60)
    assert effort == 0.3 and load_model(folder / "winner").about["effort"] == 0.3


def test_a_fit_that_is_late_leaves_the_one_before(folder):
    # The second is said to be as quick as the first, and takes longer than there is time.
    effort = refit(folder, "lightgbm", [(0.01, 1.0), (100.0, 1.0)], 4)
    assert effort == 0.01 and load_model(folder / "winner").about["effort"] == 0.01
    assert not list((folder / "spool").glob("winner-*"))


def test_where_no_fit_is_in_time_the_one_of_the_first_split_is_saved(folder):
    setup, contestants = load_setup(folder), choose_contestants(Options(approaches="lightgbm", effort=0.01).checked())
    batches = plan_batches(setup, contestants, [setup.splits.full_size], effort=0.01, device="cpu")
    batch = next(batch for batch in batches if any(cell.approach == "lightgbm" for cell in batch.cells))
    list(execute(setup, batch, keep=keeping_in(folder / "spool", setup, 0.01)))
    assert refit(folder, "lightgbm", [(100.0, 1.0)], 1) == 100.0
    saved = load_model(folder / "winner")
    assert saved.about["rows"] == 2000 and saved.about["effort"] == 0.01
    assert len(tabbench.predict(folder / "winner", pd.DataFrame(np.zeros((3, 3)), columns=list("abc")))[0]) == 3
    assert not list((folder / "spool").iterdir())


def test_a_model_that_cannot_be_kept_does_not_fail_its_cell(folder, tmp_path):
    setup, contestants = load_setup(folder), choose_contestants(Options(approaches="linear", effort=0.01).checked())
    (tmp_path / "spool").write_text("no folder")
    batches = plan_batches(setup, contestants, [setup.splits.full_size], effort=0.01, device="cpu")
    results = list(execute(setup, batches[0], keep=keeping_in(tmp_path / "spool", setup, 0.01)))
    assert {result.status for result in results} == {"ok"}


def test_fits_of_an_approach_that_has_not_won_give_way_to_those_of_the_winner(folder):
    planner = SimpleNamespace(device="cpu", jobs=1, contestants=SimpleNamespace(aliases={}),
                              refit_steps=lambda name, _: [(100.0 if name == "lightgbm" else 0.01, 1.0)])
    deadline = time.monotonic() + 60
    with Store(folder) as store, LocalExecutor(store, jobs=1, needs=Needs()) as executor:
        executor.wait_until_warm()
        Refit.begin(executor, folder, planner, "lightgbm", 100.0, deadline).give_up()
        begun = Refit.begin(executor, folder, planner, "linear", 0.01, deadline)
        assert begun.take(QuietDisplay()) == 0.01
    assert load_model(folder / "winner").approach == "linear"
    assert not list((folder / "spool").iterdir())


def test_without_any_fit_in_time_the_cure_is_named(folder):
    with pytest.raises(BadOption, match="the time limit was too short to fit it on all rows; tabbench export"):
        refit(folder, "lightgbm", [(100.0, 1.0)], 1)
