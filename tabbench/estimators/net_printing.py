"""Progress of a guarded net's training on the terminal: a line per epoch, or a bar. Written as callbacks."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

from tabbench.core.errors import BadOption
from tabbench.core.finding import Incident


class EpochLines:
    """Prints a line per epoch and per incident."""

    def on_epoch_end(self, state: Any) -> None:
        """Print the mean losses of the nets in the last epoch."""
        print(f"epoch {state.epoch}/{state.epochs}: {_said(state)}", flush=True)

    def on_incident(self, incident: Incident) -> None:
        """Print an incident."""
        print(_line(incident), flush=True)


class EpochBar:
    """Shows a bar, with incidents above it."""

    def __init__(self) -> None:
        self._bar: Any = None

    def on_fit_start(self, state: Any) -> None:
        """Show the bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                             TextColumn("{task.description}"))
        self._bar.start()
        self._task = self._bar.add_task("", total=state.epochs, completed=state.epoch)

    def on_epoch_end(self, state: Any) -> None:
        """Move it."""
        self._bar.update(self._task, completed=state.epoch, description=_said(state))

    def on_incident(self, incident: Incident) -> None:
        """Print an incident, above the bar if there is one yet."""
        (print if self._bar is None else self._bar.console.print)(_line(incident))

    def on_fit_end(self, state: Any) -> None:
        """Leave it as it is."""
        self._bar.stop()


def printing_of(verbose: Any) -> tuple[Any, ...]:
    """Return the callbacks for a value of `verbose`: 0, 1 or "bar".

    Raises
    ------
    BadOption
        It is another value.
    """
    if isinstance(verbose, str) and verbose == "bar":
        return (EpochBar(),)
    if isinstance(verbose, str) or verbose not in (0, 1):
        raise BadOption(f"verbose must be 0, 1 or 'bar', not {verbose!r}")
    return (EpochLines(),) if verbose else ()


def _said(state: Any) -> str:
    last = [record for record in state.history if record["epoch"] == state.epoch]
    words = [f"{name.replace('_', ' ')} {value:.4g}" for name in ("training_loss", "validation_loss", "learning_rate")
             if math.isfinite(value := fmean(record[name] for record in last))]
    return ", ".join(words)


def _line(incident: Incident) -> str:
    return f"{incident.code} ({incident.where}): {incident.evidence}; {incident.action}"
