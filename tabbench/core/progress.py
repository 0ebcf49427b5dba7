"""What is told while a run goes on. Who shows it (a live display, plain lines, nothing) is `report/`'s choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class FamilyLeader:
    """The approach of a family with the lowest mean loss so far; `score` has the metric's natural sign."""

    family: str
    approach: str
    score: float


@dataclass(frozen=True)
class Provisional:
    """Who leads in each family at the largest size, long before that is a verdict.

    Parameters
    ----------
    size : int
        Number of training rows.
    splits : int
        Least number of splits of the leaders.
    leaders : tuple[FamilyLeader, ...]
        One or more leaders, the best family first.
    metric : str
        Name of the metric.
    is_first_look : bool
        Whether it rests on one split with little effort.
    is_complete : bool, default True
        False as long as families that will be reported are missing.
    """

    size: int
    splits: int
    leaders: tuple[FamilyLeader, ...]
    metric: str
    is_first_look: bool
    is_complete: bool = True


@dataclass(frozen=True)
class TablesProgress:
    """How a suite stands: tables done and in all, and the names of those that are being run."""

    done: int
    total: int
    running: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """A snapshot of a run.

    Parameters
    ----------
    done, failed, total : int
        Numbers of cells.
    running : tuple[str, ...]
        One line per busy worker ("boosting at 2,000, fold 3").
    leaders : dict[int, str]
        By size, the approach with the lowest mean loss so far.
    elapsed_seconds : float
        Wall time so far.
    remaining_seconds : float | None
        Expected remaining wall time; None as long as it is unknown.
    provisional : Provisional | None, default None
        The leaders of the families so far.
    tables : TablesProgress | None, default None
        How the suite stands that the cells are of.
    """

    done: int
    failed: int
    total: int
    running: tuple[str, ...]
    leaders: dict[int, str]
    elapsed_seconds: float
    remaining_seconds: float | None
    provisional: Provisional | None = None
    tables: TablesProgress | None = None


class Display(Protocol):
    """Shows the progress of a run."""

    def say(self, line: str) -> None:
        """Print a line that stays."""

    def update(self, progress: Progress) -> None:
        """Show the newest snapshot; called a few times a second at most."""

    def close(self) -> None:
        """Leave the terminal as it was found."""
