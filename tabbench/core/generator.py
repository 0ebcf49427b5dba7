"""What a generator is: a seeded function that makes a table with a known truth. The generators are in `generators/`."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.errors import BadOption, UnknownName, names_instead
from tabbench.core.registry import Registry
from tabbench.core.task import TaskKind

TARGET = "y"
"""The column to predict, in every generated table."""
FEWEST_ROWS, MOST_ROWS = 30, 10_000_000
"""What a comparison needs, and what fits into memory."""
MOST_COLUMNS, MOST_CELLS = 10_000, 200_000_000
"""Of a generated table; so many numbers take 1.6 GB."""
OF_COLUMNS = ("columns", "copies")
"""Parameters that say how many columns there are."""
MOST_OF_OTHERS = 2**53
"""Up to here every whole number can be typed as any other number is."""
MANTISSA_BITS = 24
"""Numbers are rounded to so many bits: the last ones of a sine or a sum differ between processors."""


@dataclass(frozen=True)
class Generator:
    """How a table comes about.

    Parameters
    ----------
    name : str
        Name, unique among the generators.
    summary : str
        What is special about the table, in half a line.
    tasks : tuple[TaskKind, ...]
        Kinds of task that it can make, the default first. With more than one, `draw` takes a parameter `task`.
    draw : Callable[..., DataFrame]
        Function (random, rows, *, parameters) -> table with a column `y`. Each parameter has a default, whose type its values
        have.
    rows : int, default 1000
        Number of rows when nobody says.
    group, time : str | None, default None
        Columns with these roles.
    """

    name: str
    summary: str
    tasks: tuple[TaskKind, ...]
    draw: Callable[..., pd.DataFrame]
    rows: int = 1000
    group: str | None = None
    time: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters with their defaults, `rows` and `seed` first."""
        own = list(inspect.signature(self.draw).parameters.values())[2:]
        return {"rows": self.rows, "seed": 0} | {each.name: each.default for each in own}

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters, those given as typed or as Python values.

        Raises
        ------
        UnknownName, BadOption
            A parameter that the generator does not have, or a value that it cannot have.
        """
        values = self.parameters
        for name, value in given.items():
            if name not in values:
                raise UnknownName.among(f"parameter of the generator {self.name}", name, list(values))
            values[name] = self._value(name, value, values[name])
        columns = max(values.get(parameter, 1) for parameter in OF_COLUMNS)
        if values["rows"] * columns > MOST_CELLS:
            raise BadOption(f"{values['rows']:,} rows of {columns:,} columns of the generator {self.name} are more "
                            f"than {MOST_CELLS:,} cells; give fewer of them")
        return values

    def table(self, **given: Any) -> pd.DataFrame:
        """Make the table; the same parameters give the same table on every machine."""
        values = self.checked(given)
        rows, seed = values.pop("rows"), values.pop("seed")
        random = np.random.Generator(np.random.PCG64([seed, *self.name.encode()]))
        frame = self.draw(random, rows, **values)
        return frame.apply(lambda column: _rounded(column) if column.dtype == np.float64 else column)

    def task(self, values: Mapping[str, Any]) -> TaskKind:
        """The kind of task that these parameters make."""
        kind: TaskKind = values.get("task", self.tasks[0])
        return kind

    def _value(self, name: str, value: Any, default: Any) -> Any:
        where = f"{name} of the generator {self.name}"
        if isinstance(default, str):
            if value not in self.tasks:
                raise BadOption(f"{where} has no value {str(value)!r}; {names_instead(str(value), self.tasks)}")
            return value
        least, most = _limits(name, default)
        number = _number(value)
        if not least <= number <= most or (isinstance(default, int) and not number.is_integer()):
            kind = "a whole number" if isinstance(default, int) else "a number"
            limits = f"from {least} to {most:,}" if isinstance(default, int) else f"of at least {least}"
            raise BadOption(f"{where} must be {kind} {limits}, not {value!r}")
        return type(default)(number)


def _limits(name: str, default: Any) -> tuple[int, float]:
    """The least and the most that a parameter can be."""
    of_the_table = {"rows": (FEWEST_ROWS, MOST_ROWS)} | dict.fromkeys(OF_COLUMNS, (0, MOST_COLUMNS))
    return of_the_table.get(name, (0, MOST_OF_OTHERS if isinstance(default, int) else sys.float_info.max))


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan


def _rounded(column: pd.Series) -> pd.Series:
    fraction, exponent = np.frexp(column.to_numpy())
    step = float(2**MANTISSA_BITS)
    return pd.Series(np.ldexp(np.rint(fraction * step) / step, exponent), column.index)


GENERATORS: Registry[Generator] = Registry("generator", "tabbench.generators")
