"""What was planned and will not run, and of which kind the reason is. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class SkipKind(StrEnum):
    """Why an approach is left out at a size."""

    TIME = "time"
    WAITING = "waiting"
    RACE = "race"
    MEMORY = "memory"
    LIBRARY = "library"


REASONS = {SkipKind.TIME: "the time limit (--time-limit) would have been exceeded", SkipKind.WAITING: "not run yet"}
"""Of the kinds that need no figures: what comes from a clock must not stand among what is the same in every run."""


@dataclass(frozen=True)
class Skip:
    """An approach that will not run at a size.

    Parameters
    ----------
    reason : str, default ""
        What a person is told; by default what the kind says.

    >>> Skip("mlp", 500, SkipKind.WAITING).reason
    'not run yet'
    """

    approach: str
    size: int
    kind: SkipKind
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", SkipKind(self.kind))
        object.__setattr__(self, "reason", self.reason or REASONS[self.kind])

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Skip:
        """What `to_json` wrote, or an earlier version, which told most kinds apart by their reason alone."""
        if "kind" in values:
            return cls(**values)
        known = {reason: kind for kind, reason in REASONS.items()}
        kind = SkipKind.RACE if values["is_raced_out"] else known.get(values["reason"], SkipKind.LIBRARY)
        return cls(values["approach"], values["size"], kind, values["reason"])
