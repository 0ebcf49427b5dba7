"""Run cells of a finished run again, in a folder of their own, and compare their predictions. Never writes into the run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.approaches.composed import find_approach
from tabbench.approaches.own import own_approach
from tabbench.comparison.integrity import place_of
from tabbench.comparison.plan import Contestants, may_have_gpu
from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Run
from tabbench.core.cell import PROTOCOL_NUMBER, Batch, Cell, Result
from tabbench.core.errors import BadData, UnknownName
from tabbench.core.executor import EXECUTORS, LOCAL, Executor
from tabbench.core.metric import METRICS
from tabbench.core.verification import CellPlace, Rerun, RerunCell
from tabbench.core.versions import versions
from tabbench.execution.machine import cpu_model
from tabbench.execution.schedule import Schedule
from tabbench.store.database import Store
from tabbench.store.folder import DATABASE, SPLITS, TABLE, RunFolder, is_store, require_run
from tabbench.verdict.scoring import Question, constant_loss, margin_value

IN_PROCESS = "in-process"
REPEATABLE = frozenset({"ok", "failed"})
"""Statuses that come from the cell alone; a limit or a crash may not happen again."""


@dataclass(frozen=True, eq=False)
class _Rerunner:
    """What the cells of one run have in common."""

    run: Run
    own: Mapping[str, Any]
    aliases: Mapping[str, str]
    missing_own: frozenset[str]

    @classmethod
    def of(cls, store: Store, approaches: Mapping[str, Any]) -> _Rerunner:
        own = store.recall("own", [])
        return cls(recall_run(store), {name: approaches[name] for name in own if name in approaches},
                   store.recall("aliases", {}), frozenset(own) - frozenset(approaches))

    def obstacle(self, cell: Cell) -> str:
        """Why a cell cannot be run again here; empty where it can."""
        if cell.approach in self.missing_own:
            return (f"{cell.approach} is an estimator of its author's own; verify it from Python: "
                    f"tabbench.verify(folder, approaches={{{cell.approach!r}: …}})")
        if cell.protocol != PROTOCOL_NUMBER:
            return f"it was run by protocol {cell.protocol}, and this tabbench follows protocol {PROTOCOL_NUMBER}"
        if cell.device == "cuda" and not may_have_gpu():
            return "it was run on a GPU, and this machine has none"
        if cell.approach in self.own:
            return ""
        try:
            version = find_approach(self.aliases.get(cell.approach, cell.approach)).version
        except UnknownName as error:
            return str(error)
        return "" if version == cell.version else (
            f"it was run by version {cell.version} of {cell.approach}, and this tabbench has version {version}")

    def contestants(self, cells: Sequence[Cell]) -> Contestants:
        names = dict.fromkeys(cell.approach for cell in cells)
        approaches = [own_approach(name, self.own[name]) if name in self.own
                      else replace(find_approach(self.aliases.get(name, name)), name=name) for name in names]
        return Contestants(tuple(approaches), {name: each for name, each in self.own.items() if name in names},
                           {name: each for name, each in self.aliases.items() if name in names})


class _Silent:
    """An observer that shows nothing: what is run is read from the store."""

    def learn(self, cell: Cell, result: Result) -> None:
        """The store has it."""

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """Nothing."""


def is_planned(folder: Path) -> bool:
    """Whether a folder holds a run that has got as far as its first cell."""
    if not is_store(folder / DATABASE):
        return False
    with Store.reading(folder) as store:
        return store.recall("planned") is not None


def own_approaches(folder: Path) -> list[str]:
    """Names of the run's approaches that are estimators of its author's own."""
    with Store.reading(require_run(folder)) as store:
        return list(store.recall("own", []))


def repeatable_cells(folder: Path) -> list[str]:
    """Keys of the finished cells whose outcome came from the cell alone, in the order of the plan."""
    with Store.reading(require_run(folder)) as store:
        finished = store.finished()
        return [key for key in store.recall("planned", []) if key in finished and _status(store, key) in REPEATABLE]


def _status(store: Store, key: str) -> str:
    try:
        return str(store.header(key).get("status"))
    except BadData:  # a header that somebody has changed: told among the differences
        return ""


def rerun_cells(folder: Path, keys: Sequence[str], *, jobs: int, approaches: Mapping[str, Any]) -> list[RerunCell]:
    """Run these cells again and compare.

    Parameters
    ----------
    jobs : int
        Number of workers; with 1 the cells run in this process.
    approaches : Mapping[str, Any]
        The run's own estimators by name.
    """
    with Store.reading(require_run(folder)) as store:
        rerunner = _Rerunner.of(store, approaches)
        cells = store.cells(keys)
        obstacles = {cell.key: rerunner.obstacle(cell) for cell in cells}
        todo = [cell for cell in cells if not obstacles[cell.key]]
        again = _run(folder, todo, rerunner.contestants(todo), jobs) if todo else {}
        table = folder.resolve().name
        return [_compared(rerunner.run, store, cell, again[cell.key], place_of(cell, table)) if cell.key in again
                else RerunCell(place_of(cell, table), Rerun.NOT_RUN, obstacles[cell.key] or "it could not be run")
                for cell in cells]


def _run(folder: Path, cells: Sequence[Cell], contestants: Contestants, jobs: int) -> dict[str, Result]:
    """The new results by key, from a run's folder that exists only meanwhile."""
    batches = [Batch((cell,)) for cell in cells]
    kind = EXECUTORS.get(IN_PROCESS if jobs == 1 else LOCAL)
    with tempfile.TemporaryDirectory(prefix="tabbench-verify-") as temporary:
        for name in (TABLE, SPLITS):
            shutil.copyfile(folder / name, Path(temporary) / name)
        place = Path(temporary) / "run"
        with RunFolder.open(place), Store(place) as store:
            for name in (TABLE, SPLITS):
                (Path(temporary) / name).rename(place / name)
            store.declare(batches)
            device = "cuda" if any(cell.device == "cuda" for cell in cells) else "cpu"
            executor: Executor[Schedule]
            with kind.make(store, jobs=jobs, needs=contestants.needs(device)) as executor:
                executor.open_setup()
                executor.run(Schedule(batches, jobs=jobs), _Silent())
            found = {cell.key: store.result(cell.key) for cell in cells}
    return {key: result for key, result in found.items() if result is not None}


def _compared(run: Run, store: Store, cell: Cell, again: Result, place: CellPlace) -> RerunCell:
    try:
        before = store.result(cell.key)
    except BadData as error:
        return RerunCell(place, Rerun.DIFFERS, f"its stored result cannot be read ({error})")
    if before is None or before.status != again.status:
        status = "gone" if before is None else before.status
        return RerunCell(place, Rerun.DIFFERS, f"stored: {status}, now: {again.status} {again.reason}".strip())
    first, second = before.predictions, again.predictions
    if first is None or second is None or (first.shape == second.shape and first.tobytes() == second.tobytes()):
        return RerunCell(place, Rerun.EQUAL, largest=None if first is None else 0.0)
    if first.shape != second.shape:
        return RerunCell(place, Rerun.DIFFERS, f"stored predictions have the shape {first.shape}, not {second.shape}")
    why = _other_circumstances(store, cell, before)
    return _of_two(run, cell, why, place, first.astype(np.float64), second.astype(np.float64))


def _of_two(run: Run, cell: Cell, why: str, place: CellPlace, first: np.ndarray, second: np.ndarray) -> RerunCell:
    """Two predictions that are not the same bits, and why they need not be."""
    setup, metric = run.setup, METRICS.get(run.setup.task.metric)
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    truth, weight = question.truth(setup.split(cell.repeat, cell.fold))
    gap = abs(metric.value(truth, first, weight) - metric.value(truth, second, weight))
    margin = margin_value(metric, None, constant_loss(question, metric))
    outcome = Rerun.WITHIN_MARGIN if why and gap <= margin else Rerun.DIFFERS  # a gap of NaN differs
    return RerunCell(place, outcome, why, float(np.max(np.abs(first - second))), float(gap), float(margin))


def _other_circumstances(store: Store, cell: Cell, before: Result) -> str:
    """Why equality bit by bit cannot be required; empty where it can."""
    old, new = store.recall("identity")["versions"], versions()
    changed = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    if changed:
        return f"{changed[0]} was {old.get(changed[0], 'absent')}, here it is {new.get(changed[0], 'absent')}"
    if cell.device == "cuda":
        return "it was run on a GPU"
    cpu = before.environment.get("cpu")
    if cpu is None:
        return "the run does not say on which CPU it was made"
    return "" if cpu == cpu_model() else f"it was run on another CPU ({cpu}, here {cpu_model()})"
