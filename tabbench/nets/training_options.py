"""Options of a training that change no number: whether it is guarded, its callbacks, where its checkpoints are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabbench.core.finding import Incident


@dataclass(frozen=True)
class TrainingOptions:
    """What of a training is no matter of numbers.

    Parameters
    ----------
    is_guarded : bool, default True
        Without a guard nothing is refused or restored; predictions that are not finite are still never returned.
    safe_rate : float, default 0.05
        The recipe's own learning rate, which a rate that proves far too high goes down to.
    callbacks : Sequence[Any]
        Objects with any of `on_fit_start`, `on_epoch_end`, `on_incident` and `on_fit_end`.
    checkpoint, resume_from : Path | None
        Folders to write to, and to continue from.
    identity : str, default ""
        What a checkpoint must have been written for.
    keeps_interrupted : bool, default False
        Whether a `KeyboardInterrupt` ends the training with what was learnt; who asks for that raises it again.
    predicts_held_out : bool, default True
        Whether the fitted net comes with its predictions for rows that it did not learn from.
    deadline : float, default inf
        Of `time.perf_counter`; no epoch but the first begins later.
    named : Callable[[Incident], Incident] | None, default None
        An incident as the user knows its rows, for callbacks that are told of it as it happens.
    """

    is_guarded: bool = True
    safe_rate: float = 0.05
    callbacks: Sequence[Any] = ()
    checkpoint: Path | None = None
    resume_from: Path | None = None
    identity: str = ""
    keeps_interrupted: bool = False
    predicts_held_out: bool = True
    deadline: float = math.inf
    named: Callable[[Incident], Incident] | None = None

    def as_named(self, record: Incident) -> Incident:
        """An incident as the user knows its rows."""
        return record if self.named is None else self.named(record)

    def tell(self, event: str, what: Any) -> None:
        """Call the callbacks that listen to an event."""
        for callback in self.callbacks:
            if hasattr(callback, event):
                getattr(callback, event)(what)
