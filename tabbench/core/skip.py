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
    approach : str
        Name of the approach.
    size : int
        Number of training rows.
    kind : SkipKind
        Kind of the reason.
    reason : str, default ""
        The reason in words; by default that of the kind.

    Examples
    --------
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
        """Return plain values, which `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Skip:
        """Read what `to_json` wrote, also that of earlier versions, which told most kinds apart by the reason alone."""
        if "kind" in values:
            return cls(**values)
        known = {reason: kind for kind, reason in REASONS.items()}
        kind = SkipKind.RACE if values["is_raced_out"] else known.get(values["reason"], SkipKind.LIBRARY)
        return cls(values["approach"], values["size"], kind, values["reason"])
