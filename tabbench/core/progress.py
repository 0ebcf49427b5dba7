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

    `splits` is how many splits every leader has at least; `leaders` holds one or more, the best family first. A first look is one
    split with little effort; `is_complete` is false as long as families that will be told of are missing.
    """

    size: int
    splits: int
    leaders: tuple[FamilyLeader, ...]
    metric: str
    is_first_look: bool
    is_complete: bool = True


@dataclass(frozen=True)
class Progress:
    """A snapshot of a run.

    `running` holds one line a busy child ("boosting at 2,000, fold 3"); `leaders` the approach with the lowest mean
    loss so far at each size that has any; `remaining_seconds` is None as long as nothing is known.
    """

    done: int
    failed: int
    total: int
    running: tuple[str, ...]
    leaders: dict[int, str]
    elapsed_seconds: float
    remaining_seconds: float | None
    provisional: Provisional | None = None


class Display(Protocol):
    """Shows a run to a person."""

    def say(self, line: str) -> None:
        """A line that stays."""

    def update(self, progress: Progress) -> None:
        """The newest snapshot; called a few times a second at most."""

    def close(self) -> None:
        """Leave the terminal as it was found."""
