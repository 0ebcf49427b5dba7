"""What an approach is, what it is given and what it gives back.

An approach sees a `TrainingSet` and later prepared test features; never test targets, never the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from tabbench.core.finding import Incident
from tabbench.core.parts import Parts
from tabbench.core.registry import Registry
from tabbench.core.task import Task

ViewName = Literal["raw", "linear", "trees", "net", "families"]
Settings = dict[str, Any]
BASELINE = "dummy"
"""The constant predictor always runs: the margin, the imputation of failures and the decision `none` need it."""


@dataclass(frozen=True)
class Workload:
    """What an amount of work is computed from: options and the table's shape, nothing measured.

    `effort` is positive (see `core/effort`), `rows` is the training size, `columns` the number of feature columns, `classes`
    is 0 for regression.
    """

    effort: float
    rows: int
    columns: int
    classes: int

    @property
    def outputs(self) -> int:
        """How many numbers a model predicts for a row: boosters and one-vs-rest models pay for each."""
        return self.classes if self.classes > 2 else 1


class SharedWork:
    """Work that the cells of one batch may share, on the same rows and views: a memo with the seconds that each entry cost.

    Whatever is kept here must be a pure function of its key and the training set, so that sharing never changes a
    number. `charged_seconds` adds up what the current cell took from the memo without paying for it.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Any, float]] = {}
        self.charged_seconds = 0.0

    def once(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """The value for `key`, built on first use; later users are charged the seconds it took."""
        if key in self._kept:
            value, seconds = self._kept[key]
            self.charged_seconds += seconds
            return value
        charged_before, start = self.charged_seconds, time.perf_counter()
        value = build()
        # Entries that this one took from the memo are part of what it would have cost alone.
        seconds = time.perf_counter() - start + self.charged_seconds - charged_before
        self._kept[key] = (value, seconds)
        return value


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """All that an approach is given to learn from.

    Parameters
    ----------
    features : Any
        The n training rows in the approach's view (see `views`): frame, `LinearMatrix`, `TreeMatrix` or `NetMatrix`.
    target : ndarray
        (n,) int64 codes into `task.classes` (every class occurs), or float64 for regression.
    task : Task
        The task, restricted to the classes that occur in these rows.
    weight, group, time : ndarray | None
        (n,) or None.
    tie : ndarray | None, default None
        (n,) uint64, equal for rows that must stay together in an inner split.
    seed : int
        Derived from the cell's key.
    settings : Settings
        The approach's amount of work, see `Approach.settings`.
    threads : int, default 1
        How many threads may be used.
    device : str, default "cpu"
        "cpu" or "cuda".
    shared : SharedWork
        The batch's memo; seeds of what is put there must come from `shared_seed`.
    shared_seed : int
        The same for all approaches on these rows.
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

    def __len__(self) -> int:
        return len(self.target)


class FittedApproach(Protocol):
    """What `Approach.fit` gives back."""

    @property
    def tuned(self) -> dict[str, Any]:
        """What tuning chose, plain JSON values."""
        ...

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """What training guards saw and did."""
        ...

    def predict(self, features: Any) -> np.ndarray:
        """Float64 (m, n_classes) probabilities that sum to one, or (m,) numbers, for features in the approach's view."""
        ...

    def to_parts(self) -> Parts:
        """The pickle-free form; `Approach.restore` gives a model with bit-equal predictions."""
        ...


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for training rows by models that did not learn from them.

    `rows` (v,) ascending positions in the training set; `predictions` (v, n_classes) probabilities or (v,) numbers.
    """

    rows: np.ndarray
    predictions: np.ndarray


class BlendableFit(FittedApproach, Protocol):
    """What an approach that can be blended gives back."""

    @property
    def held_out(self) -> HeldOut | None:
        """What its inner folds predicted, on the target's own scale; None for a restored model."""
        ...


@dataclass(frozen=True)
class Approach:
    """A named way of predicting, complete with its own selection and tuning.

    Parameters
    ----------
    name : str
        As typed after `--approaches`; a composed one is `learner+selector`.
    version : int
        Raised whenever the same input would give other numbers; part of a cell's key.
    family : str
        The name of its family: baseline, linear, trees, net, blend, own or another one, see `core/family`.
    cost_rank : int
        A constant; among equals the lowest is recommended.
    view : ViewName
        The view of the table that it wants.
    summary : str
        Half a line for `tabbench approaches` and the README's table.
    settings : Callable[[Workload], Settings]
        The amount of work for a workload, plain JSON values; part of a cell's key and printed.
    fit : Callable[[TrainingSet], FittedApproach]
        Learns from a training set. Imports its library inside.
    restore : Callable[[Parts], FittedApproach] | None
        A fitted approach from its parts.
    requires : tuple[str, ...]
        Import names of modules that must load, else the approach is skipped with a cure; children import them before their first
        cell.
    represents : bool, default False
        Whether it is its family's representative in the claims over all sizes.
    uses_device : bool, default False
        Whether it runs on a GPU when there is one.
    blends : bool, default False
        Whether `fit` gives a `BlendableFit`, which `blend` weighs; such a fit is shared between the cells of a batch, so its
        randomness comes from a seed that they share.
    from_effort : float | None, default None
        The effort from which on it takes part where no approach is named; None where it has to be named.
    joined : Mapping[str, float]
        Selectors that it is joined to by `+` where nothing is named, each with the effort from which on.
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
    from_effort: float | None = None
    joined: Mapping[str, float] = field(default_factory=dict, hash=False)


class FittedSelection(Protocol):
    """What `Selector.fit` gives back: features in order of use, of which the first few or all may be taken."""

    @property
    def n_features(self) -> int:
        """How many features there are to take."""
        ...

    def transform(self, matrix: Any, n_features: int) -> Any:
        """The first `n_features`, from a matrix with the columns of training: some of its columns, or a `LinearMatrix`."""
        ...

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        ...


@dataclass(frozen=True)
class Selector:
    """A feature selector that joins a learner by `+`. Sees the learner's own view if that is among `views`, else the linear one.

    `settings(workload)` is its amount of work; `fit(matrix, training)` gives a `FittedSelection`, where `training.settings`
    are the selector's and randomness comes from `training.shared_seed`; `restore` gives it back from its parts.
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


APPROACHES: Registry[Approach] = Registry("approach", "tabbench.approaches")
SELECTORS: Registry[Selector] = Registry("selector", "tabbench.selection")
