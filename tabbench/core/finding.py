"""What a data check says and what a training guard saw: one record each, plain enough for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warn", "block"]


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed about the data.

    `code` is kebab-case and stable ("constant-column"); `subject` a column, class or row range; `message` one
    sentence that says what was found and, where something was done about it, what; `cure` what the user can do. A finding
    `spoils` a comparison when scores may be about something that is not known when predicting: its verdict is suspect.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    cure: str = ""
    spoils: bool = False

    @property
    def sentence(self) -> str:
        """Message and cure as a person reads them."""
        return f"{self.message}; {self.cure}" if self.cure else self.message

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order."""
        return asdict(self)


@dataclass(frozen=True)
class Incident:
    """One thing that went wrong in training and what the guard did about it.

    `details` holds plain values for programs, such as rows, steps and rates.
    """

    code: str
    where: str
    evidence: str
    diagnosis: str
    action: str
    outcome: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order."""
        return asdict(self)
