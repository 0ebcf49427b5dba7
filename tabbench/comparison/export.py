"""Fit an approach once more on all rows and write it without pickle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tabbench.approaches.composed import find_approach
from tabbench.comparison.plan import settings_of
from tabbench.core.cell import digest
from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.setup import Setup
from tabbench.core.skip import Skip, SkipKind
from tabbench.execution.machine import usable_cores
from tabbench.execution.run import AllRows
from tabbench.model.fitted import as_saved
from tabbench.model.saving import SavedModel, save_model
from tabbench.options import work_of
from tabbench.store.database import Store
from tabbench.store.folder import require_run
from tabbench.store.setups import load_setup

SAFE_FACTOR, SAFE_GROWTH = 1.1, 0.12
"""Work is chosen so that it may take 1.1 times as long as expected, and a third as long again with ten times the work: so well is
known how costs grow with it (tools/measure_costs.py). A fit that is late is lost, not the one before it."""
SMALL_SHARE, FIRST_FACTOR = 0.35, 1.35
"""A first fit that takes this part of the time tells how fast fits are at the moment; a larger one is itself the last, and chosen
so that it may take so many times as long as expected."""
WORTH_MORE = 1.4
"""So many times the work is worth another fit: from effort 0.3 to 1 the loss of boosted trees falls by less than 1 %."""


RECOMMENDED, BEST = "recommended", "best"


def export_approach(folder: Path, path: Path, name: str = RECOMMENDED, jobs: int | None = None) -> tuple[Path, str]:
    """Refit an approach on every row of a run's table and write it: a folder, or one file if `path` has a suffix.

    Parameters
    ----------
    folder : Path
        Of the run.
    name : str, default "recommended"
        `recommended`, `best` or an approach's name.
    jobs : int | None, default None
        Parts of the fit that go on at the same time; by default the number of cores. Changes no number.

    Returns
    -------
    tuple[Path, str]
        What was written, and the approach's name.

    Raises
    ------
    BadOption
        The run has no {name} approach yet, or the approach is the user's own estimator, which can't be written.
    UnknownName
        The approach was not part of the run.
    """
    with Store.reading(require_run(folder)) as store:
        options, device = store.recall("options"), store.recall("device", "cpu")
        names = [entry["name"] for entry in store.recall("entries", [])]
        plan = store.recall("plan")
        chosen = {RECOMMENDED: store.recall("recommended", store.recall("best")), BEST: store.recall("best")}
        own, aliases, digests = store.recall("own", []), store.recall("aliases", {}), store.recall("setup_digests")
        is_out_of_time = any(Skip.from_json(each).kind is SkipKind.TIME for each in store.recall("skips", []))
    if options is None or chosen.get(name, name) is None:
        why = ", as --time-limit was too short" if is_out_of_time else ""
        more = " with a longer --time-limit" if is_out_of_time else ""
        raise BadOption(f"the run in {folder} has no best approach yet{why}; finish it with tabbench resume {folder}{more}")
    name = str(chosen.get(name, name))
    if name in own:
        raise BadOption(f"{name} is an estimator of your own and can't be exported; name another with --approach, "
                        "or fit it yourself on all rows")
    if name not in names:
        raise UnknownName.among("approach of this run", name, names)
    effort = work_of(options.get("effort"), options["preset"]) if plan is None else plan["effort"]
    winner = WinnerOnAllRows(load_setup(folder, digests), aliases.get(name, name), device)
    return save_model(path, winner.fitted(effort, jobs or usable_cores())), name


def save_refits(folder: Path, name: str, steps: Sequence[tuple[float, float]], deadline: float, device: str, place: str,
                side_by_side: int) -> None:
    """Refit a registered approach on every row of a run's table, again with more work as long as there is time for it.

    Parameters
    ----------
    steps : Sequence[tuple[float, float]]
        (effort, expected seconds), ascending.
    deadline : float
        The clock's reading at which the last fit has to be written.
    place : str
        The model of the n-th step is written to the folder PLACE-n.
    """
    winner = WinnerOnAllRows(load_setup(folder), name, device)
    step = first_step(steps, deadline - time.monotonic())
    while True:
        began = time.monotonic()
        save_model(Path(f"{place}-{step}"), winner.fitted(steps[step][0], side_by_side))
        now = time.monotonic()
        following = next_step(steps, step, now - began, deadline - now)
        if following is None:
            return
        step = following


def first_step(steps: Sequence[tuple[float, float]], seconds_left: float) -> int:
    """The first one, as long as it leaves most of the time for another; else the last for which there should be time.

    >>> first_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 12.0), first_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 5.5)
    (0, 1)
    """
    if steps[0][1] <= SMALL_SHARE * seconds_left:
        return 0
    return max((step for step, (_, expected) in enumerate(steps) if FIRST_FACTOR * expected <= seconds_left), default=0)


def next_step(steps: Sequence[tuple[float, float]], done: int, seconds: float, seconds_left: float) -> int | None:
    """The last step that should be done in time, when step `done` has taken so many seconds; None where it is not worth it.

    >>> next_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 0, seconds=1.0, seconds_left=6.0)
    2
    >>> next_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 0, seconds=2.0, seconds_left=4.0) is None
    True
    """
    growth = [expected / steps[done][1] for _, expected in steps]
    in_time = [step for step in range(done + 1, len(steps))
               if SAFE_FACTOR * growth[step] ** (1 + SAFE_GROWTH) * seconds <= seconds_left]
    return in_time[-1] if in_time and steps[in_time[-1]][0] >= WORTH_MORE * steps[done][0] else None


class WinnerOnAllRows:
    """A registered approach, to be fitted on the whole table of a comparison, with any effort."""

    def __init__(self, setup: Setup, name: str, device: str) -> None:
        self._setup, self._approach = setup, find_approach(name)
        seed = int(digest([setup.table.fingerprint, name, self._approach.version, setup.seed, "refit"])[:8], 16)
        self._rows = AllRows(setup, self._approach, seed, device=device if self._approach.uses_device else "cpu")

    def fitted(self, effort: float, side_by_side: int = 1) -> SavedModel:
        """The approach, fitted with this effort, as it is saved; so many parts of the fit may go on side by side."""
        n_rows = len(self._setup.table)
        settings = settings_of(self._approach, self._setup, n_rows, effort)
        view, fitted = self._rows.fit(settings, side_by_side)
        return as_saved(self._setup, self._approach, view, fitted, n_rows, effort, settings)
