"""Execute a batch: the only place where an approach is fitted, and the only broad `except`.

Gives one `Result` a cell, whatever happens. Knows nothing of processes, stores or scores.
"""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from importlib.metadata import version
from typing import IO, Any

import cloudpickle
import numpy as np
from threadpoolctl import threadpool_limits

from tabbench.approaches.composed import find_approach
from tabbench.approaches.sharing import fit_once
from tabbench.core.approach import APPROACHES, Approach, FittedApproach, SharedWork, TrainingSet, ViewName
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import TabbenchError
from tabbench.core.matrices import FamiliesMatrix
from tabbench.core.setup import Setup
from tabbench.core.side_by_side import SideBySide
from tabbench.core.split import Split
from tabbench.execution.machine import PeakMemory, cpu_model, resident_mb, trim_memory
from tabbench.execution.predictions import complete, with_ranking
from tabbench.views import FAMILIES, FittedView, families_view, fit_view

Keep = Callable[[Cell, FittedView, FittedApproach], None]
LARGE_ROWS = 10_000
"""Beyond so many rows at a time a row takes no less."""
LATENCY_SECONDS, LATENCY_TRIES = 0.1, 5
"""What measuring a latency may take, and how often a single row is predicted for its median."""
LAST_FRAMES = -50
"""Of a recursion without an end there may be a million, which take minutes to print."""
LONGEST_REASON = 300
"""A failure's reason is one line in a report; the whole trace is in the worker's log."""


@dataclass(frozen=True, eq=False)
class BatchRows:
    """The rows of one batch, with what its cells share."""

    setup: Setup
    split: Split
    size: int
    shared: SharedWork
    floor_mb: float

    @property
    def train(self) -> np.ndarray:
        """Positions of the training rows."""
        return self.split.train[:self.size]

    def view(self, name: ViewName, seed: int) -> FittedView:
        """The fitted view, once for all cells that want it."""
        table = self.setup.table
        if name == "families":
            return families_view(lambda each: self.view(each, seed))
        view: FittedView = self.shared.once(("view", name), lambda: fit_view(
            name, table.features.iloc[self.train].reset_index(drop=True), table.columns, seed))
        return view

    def prepared(self, name: ViewName, seed: int, part: str) -> Any:
        """The training or test features in a view."""
        if name == "families":
            return FamiliesMatrix({each: self.prepared(each, seed, part) for each in FAMILIES})
        positions = self.train if part == "train" else self.split.test
        if name == "given" and self.setup.given is not None:
            return self.setup.given.load().take(positions, with_target=part == "train")
        view = self.view(name, seed)
        return self.shared.once(("prepared", name, part),
                                lambda: view.transform(self.setup.table.features.iloc[positions].reset_index(drop=True)))


def execute(setup: Setup, batch: Batch, *, own: Mapping[str, Approach] | None = None, threads: int = 1, side_by_side: int = 1,
            announce: Callable[[Cell], None] = lambda cell: None, keep: Keep | None = None, log: IO[str] | None = None
            ) -> Iterator[Result]:
    """Run the cells of a batch one after the other.

    Parameters
    ----------
    own : Mapping[str, Approach] | None, default None
        The user's own approaches by name.
    announce : Callable[[Cell], None]
        Told of each cell before it is run.
    side_by_side : int, default 1
        How many of the fits that the batch's cells share may go on at the same time; no number depends on it.
    keep : Keep | None, default None
        Given the view and the fitted approach of a cell that has succeeded, if the approach is registered and has met all
        classes.
    log : IO[str] | None, default None
        Gets the traces of failures; None is standard error.
    """
    first = batch.cells[0]
    rows = BatchRows(setup, setup.split(first.repeat, first.fold), first.size, SharedWork(resident_mb), resident_mb())
    if side_by_side > 1:
        announce(first)
        _fit_shared(rows, batch.cells, threads, side_by_side)
    for cell in batch.cells:
        announce(cell)
        yield _outcome(rows, cell, (own or {}).get(cell.approach), threads, keep, log)


def _fit_shared(rows: BatchRows, cells: Sequence[Cell], threads: int, side_by_side: int) -> None:
    """Put the fits that cells share into the batch's memo, several at a time: the libraries let other threads run meanwhile."""
    wanted = {name: (settings, cell) for cell in cells for name, settings in shared_fits(cell.approach, cell.settings).items()}
    trainings = []
    for name, (settings, cell) in wanted.items():
        approach = find_approach(name)
        features = _quietly(partial(rows.prepared, approach.view, cell.shared_seed, "train"))
        if features is not None:
            trainings.append((approach, training_set(
                rows.setup, rows.train, approach, settings=settings, seed=cell.seed, shared_seed=cell.shared_seed,
                features=features, shared=rows.shared, threads=threads, device=cell.device)))
    fit_side_by_side(trainings, side_by_side)


def fit_side_by_side(trainings: Sequence[tuple[Approach, TrainingSet]], side_by_side: int) -> None:
    """Fit approaches that blend, so that they are in their training sets' memo. What fails will fail once more, and be told.

    The dearest are begun first, so that none is left alone at the end. Of fits that are divided all are begun: boosters wait for
    turns, each round anew.
    """
    if len(trainings) > 1:
        dearest_first = sorted(trainings, key=lambda each: -each[0].cost_rank)
        turns = trainings[0][1].side_by_side
        is_divided = turns is not None and side_by_side > 1
        (turns or SideBySide(side_by_side)).beside(lambda each: _quietly(partial(fit_once, *each)), dearest_first,
                                                   threads=len(trainings) if is_divided else side_by_side)


def shared_fits(name: str, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The approaches whose fits an approach is made of, or it alone, with their settings; none where it shares no fit.

    >>> list(shared_fits("blend", {"members": {"linear": {}, "boosting": {"members": {"xgboost": {}, "lightgbm": {}}}}}))
    ['linear', 'xgboost', 'lightgbm']
    """
    parts = settings.get("members")
    if isinstance(parts, Mapping):
        return {leaf: of_leaf for part, inner in parts.items() for leaf, of_leaf in shared_fits(part, inner).items()}
    return {name: dict(settings)} if name in APPROACHES and APPROACHES.get(name).blends else {}


def _quietly(work: Callable[[], Any]) -> Any:
    """What the work gives, or None where it fails: the cell that needs it will fail in the same way."""
    try:
        return work()
    except Exception:  # noqa: BLE001
        return None


def _outcome(rows: BatchRows, cell: Cell, own: Approach | None, threads: int, keep: Keep | None, log: IO[str] | None) -> Result:
    trim_memory()
    memory = PeakMemory()
    rows.shared.charged_mb = 0.0
    try:
        result = _fit_and_predict(rows, cell, own or find_approach(cell.approach), threads, keep if own is None else None)
    except MemoryError:
        raise  # the worker ends; the supervisor tries the cell once more with the machine to itself
    except Exception as error:  # noqa: BLE001 - a failure is a row, whatever a library throws
        traceback.print_exc(LAST_FRAMES, file=log)
        incidents = error.incidents if isinstance(error, TabbenchError) else ()
        return Result(cell.key, "failed", reason(error), peak_mb=memory.peak_mb(), incidents=incidents)
    costs = memory.costs(rows.shared.charged_mb) | {"floor_mb": round(rows.floor_mb, 1)} | result.pop("costs", {})
    return Result(cell.key, "ok", peak_mb=memory.peak_mb(), environment=_environment(cell.approach), costs=costs, **result)


def _fit_and_predict(rows: BatchRows, cell: Cell, approach: Approach, threads: int, keep: Keep | None) -> dict[str, Any]:
    setup, shared = rows.setup, rows.shared
    target = setup.target[rows.train]
    present = np.unique(target) if not setup.task.is_regression else None
    if present is not None and len(present) == 1:
        return _only_one_class(rows, present)
    shared.charged_seconds, start = 0.0, time.perf_counter()
    training = training_set(setup, rows.train, approach, settings=cell.settings, seed=cell.seed, shared_seed=cell.shared_seed,
                            features=rows.prepared(approach.view, cell.shared_seed, "train"), shared=shared,
                            threads=threads, device=cell.device)
    fitted = fit_once(approach, training) if approach.blends else approach.fit(training)
    fit_seconds = time.perf_counter() - start + shared.charged_seconds
    shared.charged_seconds, start = 0.0, time.perf_counter()
    raw = fitted.predict(rows.prepared(approach.view, cell.shared_seed, "test"))
    predict_seconds = time.perf_counter() - start + shared.charged_seconds
    predictions = complete(raw, present, setup.task.n_classes, cell.size, len(rows.split.test))
    ranking = getattr(fitted, "ranking", None)
    scores = None if ranking is None else ranking(rows.prepared(approach.view, cell.shared_seed, "test"))
    if scores is not None and present is not None:
        predictions = with_ranking(predictions, scores, present)
    if keep is not None and (present is None or len(present) == setup.task.n_classes):
        keep(cell, rows.view(approach.view, cell.shared_seed), fitted)
    costs = _quietly(partial(_latency, rows, cell, approach, fitted, predict_seconds)) if cell.repeat == cell.fold == 0 else None
    return {"predictions": predictions.astype(np.float32), "tuned": fitted.tuned, "incidents": tuple(fitted.incidents),
            "fit_seconds": fit_seconds, "predict_seconds": predict_seconds, "costs": costs or {}}


def _latency(rows: BatchRows, cell: Cell, approach: Approach, fitted: FittedApproach, seconds: float) -> dict[str, float]:
    """Microseconds to predict one row at a time, and a row of `LARGE_ROWS`, or of as many as `LATENCY_SECONDS` allow.

    `seconds` is what the test rows have taken: where those are as many, or took as long, that is what large batches cost.
    """
    test = rows.split.test
    affordable = int(LATENCY_SECONDS / max(seconds, 1e-9) * len(test))
    count = min(LARGE_ROWS, affordable)
    many = seconds / len(test) if count <= len(test) else _seconds_to_predict(
        rows, cell, approach, fitted, np.resize(test, count)) / count
    tries: list[float] = []
    while len(tries) < LATENCY_TRIES and sum(tries) < LATENCY_SECONDS:
        tries.append(_seconds_to_predict(rows, cell, approach, fitted, test[:1]))
    return {"one_row_us": round(float(np.median(tries)) * 1e6, 2), "large_us": round(many * 1e6, 4)}


def _seconds_to_predict(rows: BatchRows, cell: Cell, approach: Approach, fitted: FittedApproach, positions: np.ndarray) -> float:
    """From rows as they are in the table to predictions."""
    given, table = rows.setup.given, rows.setup.table
    features: Any = given.load().take(positions, with_target=False) if approach.view == "given" and given is not None else (
        table.features.iloc[positions].reset_index(drop=True))
    start = time.perf_counter()
    if not (approach.view == "given" and given is not None):
        features = rows.view(approach.view, cell.shared_seed).transform(features)
    fitted.predict(features)
    return time.perf_counter() - start


def training_set(setup: Setup, rows: np.ndarray, approach: Approach, *, features: Any, settings: dict[str, Any], seed: int,
                 shared_seed: int, shared: SharedWork, threads: int, device: str) -> TrainingSet:
    """What the approach is given for these rows: its classes are those that occur in them."""
    table, task, target = setup.table, setup.task, setup.target[rows]
    if not task.is_regression:
        present, target = np.unique(target, return_inverse=True)
        task = task.with_classes(tuple(task.classes[code] for code in present))

    def role(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return TrainingSet(features=features, target=target, task=task, settings=settings, seed=seed, shared_seed=shared_seed,
                       weight=role(table.weight), group=role(table.group), time=role(table.time),
                       tie=table.tie[rows] if setup.splits.ties_are_kept else None,
                       threads=threads, device=device if approach.uses_device else "cpu", shared=shared)


class AllRows:
    """Every row of a table, for an approach that is fitted on them as a winner is, also several times with more work.

    Parameters
    ----------
    setup : Setup
        Of the comparison.
    approach : Approach
        A registered one.
    seed : int
        Of view and fits.
    threads : int, default 1
        Threads a fit.
    device : str, default "cpu"
        Where it is fitted.
    """

    def __init__(self, setup: Setup, approach: Approach, seed: int, *, threads: int = 1, device: str = "cpu") -> None:
        self._setup, self._approach, self._seed, self._threads, self._device = setup, approach, seed, threads, device

    def fit(self, settings: dict[str, Any], side_by_side: int = 1) -> tuple[FittedView, FittedApproach]:
        """Fit the approach, and its view before the first time.

        Parameters
        ----------
        settings : dict[str, Any]
            The approach's.
        side_by_side : int, default 1
            How many parts may go on at the same time: fits that are blended, boosters on inner folds, halves of a net's batches.
            No number depends on it.

        Raises
        ------
        TabbenchError
            The fit failed, for whatever reason.
        """
        approach = self._approach
        try:
            # As in a worker, whose libraries are told before they load: the number of cores must not change a number.
            with threadpool_limits(self._threads):
                view, features = self._prepared
                training = training_set(self._setup, self._positions, approach, features=features, settings=settings,
                                        seed=self._seed, shared_seed=self._seed, shared=SharedWork(), threads=self._threads,
                                        device=self._device)
                # Equal rows are tied to compare without luck. New rows will repeat old ones as these repeat each other.
                training = replace(training, tie=None, side_by_side=SideBySide(side_by_side))
                fit_side_by_side([(part, _for_part(training, part, of_part)) for name, of_part in shared_fits(
                    approach.name, settings).items() if (part := find_approach(name))], side_by_side)
                return view, approach.fit(training)
        except Exception as error:
            raise TabbenchError(f"{approach.name} could not be fitted on all rows: {reason(error)}") from error

    @cached_property
    def _positions(self) -> np.ndarray:
        if self._setup.splits.kind == "ordered" and self._setup.table.time is not None:
            return np.argsort(-self._setup.table.time, kind="stable")
        return np.arange(len(self._setup.table))

    @cached_property
    def _prepared(self) -> tuple[FittedView, Any]:
        table = self._setup.table
        features = table.features.iloc[self._positions].reset_index(drop=True)
        view = fit_view(self._approach.view, features, table.columns, self._seed)
        return view, view.transform(features)


def _for_part(training: TrainingSet, part: Approach, settings: dict[str, Any]) -> TrainingSet:
    """The same rows for a fit that the approach is made of."""
    features = training.features
    features = features.views[part.view] if isinstance(features, FamiliesMatrix) else features
    return replace(training, features=features, settings=settings, device=training.device if part.uses_device else "cpu")


def _only_one_class(rows: BatchRows, present: np.ndarray) -> dict[str, Any]:
    # Nothing can be learnt from one class; every approach says the same, so that no one gains by how it copes.
    certain = np.ones((len(rows.split.test), 1))
    predictions = complete(certain, present, rows.setup.task.n_classes, rows.size, len(certain))
    return {"predictions": predictions.astype(np.float32), "tuned": {"only_class": int(present[0])},
            "fit_seconds": 0.0, "predict_seconds": 0.0}


def reason(error: BaseException) -> str:
    """An error as one short line."""
    text = " ".join(str(error).split()) or "no message"
    kind = "" if isinstance(error, TabbenchError) else f"{type(error).__name__}: "
    return (kind + text)[:LONGEST_REASON]


def why_it_does_not_load(module: str) -> str | None:
    """What importing a module throws, as one line; None where it loads. Libraries throw errors of their own kinds."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001
        return reason(error)
    return None


def distribution_of(module: str) -> str:
    """What pip calls the package that a module belongs to.

    >>> distribution_of("sklearn.linear_model"), distribution_of("xgboost")
    ('scikit-learn', 'xgboost')
    """
    package = module.partition(".")[0]
    return {"sklearn": "scikit-learn"}.get(package, package)  # the only approach's package that pip calls otherwise


def received(own: Mapping[str, bytes], aliases: Mapping[str, str]) -> dict[str, Approach]:
    """The user's own approaches from their pickles, and registered ones under other names."""
    return {**{name: unpickled(name, pickled) for name, pickled in own.items()},
            **{alias: replace(find_approach(name), name=alias) for alias, name in aliases.items()}}


def unpickled(name: str, pickled: bytes) -> Approach:
    """The user's own approach from its pickle; where that fails, one whose every fit fails with the reason."""
    from tabbench.approaches.own import own_approach

    try:
        return own_approach(name, cloudpickle.loads(pickled))
    except Exception as error:  # noqa: BLE001
        why = reason(error)

    def fail(training: TrainingSet) -> FittedApproach:
        raise TabbenchError(f"the estimator cannot be sent to another process: {why}")

    return Approach(name=name, version=1, family="own", cost_rank=0, view="raw", summary="", settings=lambda workload: {},
                    fit=fail, restore=None)


def _environment(name: str) -> dict[str, Any]:
    return {"python": ".".join(map(str, sys.version_info[:3])), "tabbench": _own_version(), "approach": name, "cpu": cpu_model()}


@cache
def _own_version() -> str:
    return version("tabbench")  # which reads and parses a file
