"""What an approach is, what it is given and what it gives back.

An approach sees a `TrainingSet` and later prepared test features; never test targets, never the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from tabbench.core.finding import Incident
from tabbench.core.parts import Parts
from tabbench.core.registry import Registry
from tabbench.core.side_by_side import SideBySide
from tabbench.core.task import Task

ViewName = Literal["raw", "given", "linear", "trees", "net", "families"]
Settings = dict[str, Any]
BASELINE = "dummy"
"""The constant predictor always runs: the margin, the imputation of failures and the decision `none` need it."""


@dataclass(frozen=True)
class Workload:
    """What an approach's settings are computed from: the effort and the shape of the table, nothing measured.

    Parameters
    ----------
    effort : float
        Positive, see `core/effort`.
    rows : int
        Number of training rows.
    columns : int
        Number of feature columns.
    classes : int
        Number of classes; 0 for regression.
    """

    effort: float
    rows: int
    columns: int
    classes: int

    @property
    def outputs(self) -> int:
        """Number of outputs per row, each of which costs boosters and one-vs-rest models time."""
        return self.classes if self.classes > 2 else 1


class SharedWork:
    """Cache of work that the cells of one batch share on the same rows and views, with the seconds that each entry took.

    Every entry must be a pure function of its key and the training set, so that sharing never changes a number.
    `charged_seconds` is the time that the current cell saved by taking entries from the cache, `charged_mb` the memory that they
    took when they were built, as `resident_mb` tells.
    """

    def __init__(self, resident_mb: Callable[[], float] = lambda: 0.0) -> None:
        self._kept: dict[Hashable, tuple[Any, float, float]] = {}
        self._resident_mb = resident_mb
        self.charged_seconds = self.charged_mb = 0.0

    def once(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """Return the value of `key`, built on first use; later cells are charged the seconds and the memory that it took."""
        if key in self._kept:
            value, seconds, megabytes = self._kept[key]
            self.charged_seconds += seconds
            self.charged_mb += megabytes
            return value
        charged_before, start = (self.charged_seconds, self.charged_mb), (time.perf_counter(), self._resident_mb())
        value = build()
        # Entries that this one took from the memo are part of what it would have cost alone.
        seconds = time.perf_counter() - start[0] + self.charged_seconds - charged_before[0]
        megabytes = max(self._resident_mb() - start[1], 0.0) + self.charged_mb - charged_before[1]
        self._kept[key] = (value, seconds, megabytes)
        return value


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The training data of one fit, all that an approach is given.

    Parameters
    ----------
    features : Any
        The n training rows in the approach's view (see `views`): a frame, `LinearMatrix`, `TreeMatrix` or `NetMatrix`.
    target : ndarray
        Of shape (n,): int64 codes into `task.classes`, all of which occur, or float64 for regression.
    task : Task
        The task, restricted to the classes that occur in these rows.
    settings : Settings
        The approach's effort in its own terms, see `Approach.settings`.
    seed : int
        Seed of the cell, derived from its key.
    shared_seed : int
        Seed that all approaches on these rows share.
    weight, group, time : ndarray | None, default None
        Weights, group codes and times of the rows, of shape (n,).
    tie : ndarray | None, default None
        Of shape (n,), uint64; equal for rows that must stay together in an inner split.
    threads : int, default 1
        Number of threads that may be used.
    device : {"cpu", "cuda"}, default "cpu"
        Where to train.
    shared : SharedWork
        Cache of the batch; whatever is random in it must be seeded by `shared_seed`.
    side_by_side : SideBySide | None, default None
        Turns for the parts of a fit that is divided, as that of a winner on all rows is; None for one that is not, as in cells,
        whose costs are compared.
    """

    features: Any
    target: np.ndarray
    task: Task
    settings: Settings
    seed: int
    shared_seed: int
    weight: np.ndarray | None = None
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    tie: np.ndarray | None = None
    threads: int = 1
    device: str = "cpu"
    shared: SharedWork = field(default_factory=SharedWork)
    side_by_side: SideBySide | None = None

    def __len__(self) -> int:
        return len(self.target)


class FittedApproach(Protocol):
    """A fitted model, as `Approach.fit` returns it."""

    @property
    def tuned(self) -> dict[str, Any]:
        """What tuning chose, as plain JSON values."""
        ...

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """What training guards saw and did."""
        ...

    def predict(self, features: Any) -> np.ndarray:
        """Predict float64 probabilities (m, n_classes) that sum to one, or numbers (m,), for features in the approach's view."""
        ...

    def to_parts(self) -> Parts:
        """The pickle-free form; `Approach.restore` gives a model with bit-equal predictions."""
        ...


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for training rows by models that did not learn from them.

    Parameters
    ----------
    rows : ndarray
        Ascending positions in the training set, of shape (v,).
    predictions : ndarray
        Probabilities of shape (v, n_classes), or numbers of shape (v,).
    """

    rows: np.ndarray
    predictions: np.ndarray


class BlendableFit(FittedApproach, Protocol):
    """A fitted model that can be blended."""

    @property
    def held_out(self) -> HeldOut | None:
        """Predictions of its inner folds, in the units of the target; None for a restored model."""
        ...


PredictBest = Callable[[Sequence[tuple[TrainingSet, Any]], Callable[[Sequence[np.ndarray]], float]], list[np.ndarray]]
"""(training sets with features of other rows, loss of predictions for them) -> predictions by the best candidate."""


@dataclass(frozen=True)
class Approach:
    """A named way of predicting, complete with its own selection and tuning.

    Parameters
    ----------
    name : str
        Name as given to `--approaches`; that of a composed approach is `learner+selector`.
    version : int
        Raised whenever the same input would give other numbers; part of a cell's key.
    family : str
        Name of the family: baseline, linear, trees, net, blend, own or another one, see `core/family`.
    cost_rank : int
        Rank by cost; among equally good approaches the one of the lowest rank is recommended.
    view : ViewName
        View of the table that it learns from.
    summary : str
        Half a line for `tabbench approaches` and the README's table.
    settings : Callable[[Workload], Settings]
        Computes the settings for a workload, as plain JSON values; they are part of a cell's key and printed.
    fit : Callable[[TrainingSet], FittedApproach]
        Fits a training set. Imports its library inside.
    restore : Callable[[Parts], FittedApproach] | None
        Restores a fitted approach from its parts.
    requires : tuple[str, ...], default ()
        Import names of required modules. If one does not load, the approach is skipped and the reason reported. Workers import
        them before their first cell.
    represents : bool, default False
        Whether it represents its family in the claims over all sizes.
    uses_device : bool, default False
        Whether it runs on a GPU if there is one.
    blends : bool, default False
        Whether `fit` returns a `BlendableFit`, which `blend` can use. Such a fit is shared between the cells of a batch and must
        be seeded by `shared_seed`.
    predict_best : Callable, default None
        For a learner whose grid is cheap to search: from several training sets, each with features of other rows, the predictions
        for these rows by that candidate of its grid whose predictions have the lowest loss, as a function of all of them tells.
        A selector joined to it then chooses the number of features and the candidate together. None for all other learners.
    divides : bool, default False
        Whether a fit has parts that go on side by side where its training set has turns for them.
    from_effort : float | None, default None
        Lowest effort at which it takes part if no approaches are named; None if it takes part only when named.
    joined : Mapping[str, float]
        Selectors that it is joined to by `+` if no approaches are named, each with the lowest effort at which it is.
    """

    name: str
    version: int
    family: str
    cost_rank: int
    view: ViewName
    summary: str
    settings: Callable[[Workload], Settings]
    fit: Callable[[TrainingSet], FittedApproach]
    restore: Callable[[Parts], FittedApproach] | None
    requires: tuple[str, ...] = ()
    represents: bool = False
    uses_device: bool = False
    blends: bool = False
    predict_best: PredictBest | None = None
    divides: bool = False
    from_effort: float | None = None
    joined: Mapping[str, float] = field(default_factory=dict, hash=False)


class FittedSelection(Protocol):
    """A fitted selector: features in order of importance, of which the first few or all may be taken."""

    @property
    def n_features(self) -> int:
        """Number of features that can be taken."""
        ...

    def transform(self, matrix: Any, n_features: int) -> Any:
        """Take the first `n_features` of a matrix with the columns of training: some of its columns, or a `LinearMatrix`."""
        ...

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        ...


@dataclass(frozen=True)
class Selector:
    """A feature selector that joins a learner by `+`.

    Parameters
    ----------
    name : str
        Name as given after the `+`.
    version : int
        Raised whenever the same input would give other numbers; part of a cell's key.
    cost_rank : int
        Added to that of the learner.
    summary : str
        Half a line for `tabbench approaches` and the README's table.
    settings : Callable[[Workload], Settings]
        Computes the settings for a workload, as plain JSON values.
    fit : Callable[[Any, TrainingSet], FittedSelection]
        Fits a matrix and its training set, whose settings are the selector's. Must be seeded by `training.shared_seed`.
    restore : Callable[[Parts], FittedSelection]
        Restores a fitted selection from its parts.
    requires : tuple[str, ...], default ()
        Import names of required modules.
    views : tuple[ViewName, ...], default ("linear",)
        Views that it can work on: it gets the learner's own view if that is among them, else the linear one.
    orders_columns : bool, default False
        Whether its fits are `OrderedColumns`: where all columns are taken, nothing need be fitted.
    """

    name: str
    version: int
    cost_rank: int
    summary: str
    settings: Callable[[Workload], Settings]
    fit: Callable[[Any, TrainingSet], FittedSelection]
    restore: Callable[[Parts], FittedSelection]
    requires: tuple[str, ...] = ()
    views: tuple[ViewName, ...] = ("linear",)
    orders_columns: bool = False


APPROACHES: Registry[Approach] = Registry("approach", "tabbench.approaches")
SELECTORS: Registry[Selector] = Registry("selector", "tabbench.selection")
