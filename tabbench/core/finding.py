"""What a data check says and what a training guard saw: one record each, plain enough for JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from shlex import quote
from typing import Any, Literal

Severity = Literal["info", "warn", "block"]


@dataclass(frozen=True)
class Remedy:
    """An option that does away with what was found, and the columns to give it: several to drop, else one.

    >>> print(Remedy("group", ("patient id",)), Remedy("drop", ("price, EUR", "b")))
    --group 'patient id' --drop '"price, EUR",b'
    """

    option: Literal["drop", "group", "time"]
    columns: tuple[str, ...]

    def __str__(self) -> str:
        """As typed in a shell."""
        given = ",".join(map(_escaped, self.columns)) if self.option == "drop" else self.columns[0]
        return f"--{self.option} {quote(given)}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order."""
        return {"option": self.option, "columns": list(self.columns)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Remedy:
        """The remedy that was written so."""
        return cls(values["option"], tuple(values["columns"]))


def _escaped(name: str) -> str:
    """A name in a list with commas."""
    return '"' + name.replace('"', '""') + '"' if re.search('[,"]|^ ', name) else name


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed about the data.

    `code` is kebab-case and stable ("constant-column"); `subject` a column, class or row range; `message` one
    sentence that says what was found and, where something was done about it, what; `cure` what the user can do, of which
    `remedy` is the part that a program can do. A finding `spoils` a comparison when scores may be about something that is not
    known when predicting: its verdict is suspect.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    cure: str = ""
    spoils: bool = False
    remedy: Remedy | None = field(default=None, compare=False)

    @property
    def sentence(self) -> str:
        """Message and cure as a person reads them."""
        return f"{self.message}; {self.cure}" if self.cure else self.message

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order; without a remedy as ever, for the stores of earlier runs."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "remedy"}
        return values if self.remedy is None else values | {"remedy": self.remedy.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Finding:
        """The finding that was written so; those of earlier runs have no remedy."""
        remedy = values.get("remedy")
        return cls(**{**values, "remedy": None if remedy is None else Remedy.from_json(remedy)})


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
