"""What is told while a run goes on. Who shows it (a live display, plain lines, nothing) is `report/`'s choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


class Display(Protocol):
    """Shows a run to a person."""

    def say(self, line: str) -> None:
        """A line that stays."""

    def update(self, progress: Progress) -> None:
        """The newest snapshot; called a few times a second at most."""

    def close(self) -> None:
        """Leave the terminal as it was found."""
