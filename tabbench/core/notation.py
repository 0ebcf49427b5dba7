"""How the numbers of a column are written, which a model remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

DecimalMark = Literal[".", ","]


@dataclass(frozen=True)
class Notation:
    """How the numbers of a column are written.

    Parameters
    ----------
    decimal : {".", ",", ""}, default "."
        Decimal mark; "" if there is none, as all are whole numbers.
    thousands : str, default ""
        Mark between groups of digits, "" if there is none.
    unit : str | None, default ""
        Unit, currency or "%" that all values share; "" for plain numbers, None where an older file does not say.
    is_fraction : bool, default False
        Whether all values lie between -1 and 1, so that per cents can be converted.
    example : str, default ""
        A value as it is written in the training data, "" if that is of a numeric type.
    """

    decimal: DecimalMark | Literal[""] = "."
    thousands: str = ""
    unit: str | None = ""
    is_fraction: bool = False
    example: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values, which `Notation(**values)` reads."""
        return {"decimal": self.decimal, "thousands": self.thousands, "unit": self.unit, "is_fraction": self.is_fraction,
                "example": self.example}


@dataclass(frozen=True)
class DecimalHint:
    """What the file says about a mark that its column leaves open, as in 1,234.

    `proven` is the decimal mark that other columns prove; `likely` the one that goes with the file's delimiter, None for none.
    """

    proven: DecimalMark | None = None
    likely: DecimalMark | None = "."
