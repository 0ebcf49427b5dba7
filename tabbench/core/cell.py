"""Cells, batches and results: what is to be run, and what came of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tabbench.core.finding import Incident

PROTOCOL_NUMBER = 1
"""Raised when the same cell would mean something else; part of every key."""

IDENTITY = "identity"
"""The setting that tells a user's estimator from what it was before its code changed."""

Status = Literal["ok", "failed", "timed_out", "out_of_memory", "crashed", "skipped"]


def digest(values: Any) -> str:
    """Return the hex digest of the canonical JSON of plain values, which is stable across machines and versions.

    >>> digest({"b": 1, "a": [2]}) == digest({"a": [2], "b": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cell:
    """One fit: an approach on a split at a training size. Its `key` is the unit of scheduling, resuming and storing.

    There may be 100,000 of them in a plan, hence the slots.
    """

    table: str
    task: str
    splits: str
    approach: str
    version: int
    settings: dict[str, Any]
    size: int
    repeat: int
    fold: int
    run_seed: int
    device: str
    protocol: int = PROTOCOL_NUMBER
    _key: str = field(default="", init=False, repr=False, compare=False)

    @property
    def key(self) -> str:
        """Hash of the cell's canonical JSON. What it depends on must never change by accident."""
        if not self._key:
            object.__setattr__(self, "_key", digest(self.to_json()))
        return self._key

    @property
    def seed(self) -> int:
        """The cell's own seed, from its key alone: 32 bits.

        Versions of a user's estimator have the same one, so that they are compared with the same luck.
        """
        key = self.key if IDENTITY not in self.settings else digest(self.to_json() | {"settings": {
            name: value for name, value in self.settings.items() if name != IDENTITY}})
        return int(key[:8], 16)

    @property
    def shared_seed(self) -> int:
        """The seed of work shared by all approaches on the same rows: 32 bits."""
        return int(digest([self.table, self.splits, self.size, self.repeat, self.fold, self.run_seed])[:8], 16)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        # Not `asdict`, which would copy the settings: there may be 100,000 cells.
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "_key"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells of one split and size that run together in one worker because they share work."""

    cells: tuple[Cell, ...]

    @property
    def key(self) -> str:
        """Hash of the keys of its cells, in order."""
        return digest([cell.key for cell in self.cells])


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome of a cell. It holds no scores: they are derived from the predictions.

    Parameters
    ----------
    key : str
        Key of the cell.
    status : Status
        "ok", or how the cell ended without a model.
    reason : str, default ""
        Why it did.
    predictions : ndarray | None, default None
        Float32 of shape (m, n_classes) or (m,), in the order of the split's `test`; None unless the status is "ok".
    tuned : dict[str, Any]
        What tuning chose, as plain JSON values.
    fit_seconds, predict_seconds : float | None, default None
        Wall time of fit and prediction.
    peak_mb : float | None, default None
        Peak memory of the worker in MB, whatever ran in it before.
    costs : dict[str, float]
        What was measured of the approach itself: `grown_mb` by which the worker grew at most, `floor_mb` that it had before the
        batch, and in one cell an approach and size `one_row_us` and `large_us`, microseconds to predict a single row, and a row
        of many.
    incidents : tuple[Incident, ...], default ()
        What training guards saw and did.
    environment : dict[str, Any]
        Versions and machine that the result comes from.
    """

    key: str
    status: Status
    reason: str = ""
    predictions: np.ndarray | None = None
    tuned: dict[str, Any] = field(default_factory=dict)
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_mb: float | None = None
    incidents: tuple[Incident, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
