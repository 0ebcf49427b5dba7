"""Where the table of a source is and how it is meant to be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tabbench.core.task import TaskKind
from tabbench.reading.source import NamedTable


@dataclass(frozen=True, eq=False)
class Located:
    """A table that is on this machine, and what its source says about its use; None where it says nothing.

    Parameters
    ----------
    data : Path | NamedTable
        What `read_source` reads.
    target, group, time : str | None, default None
        Columns with these roles.
    task : TaskKind | None, default None
        Kind of task.
    metric : str | None, default None
        Name of the metric that decides.
    drop : tuple[str, ...], default ()
        Columns to leave out.
    """

    data: Path | NamedTable
    target: str | None = None
    task: TaskKind | None = None
    metric: str | None = None
    drop: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
