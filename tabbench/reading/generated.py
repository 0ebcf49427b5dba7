"""Generated tables by name, as `generated:xor,rows=2000`: the text becomes a generator's parameters, these become a table."""

from __future__ import annotations

import pyarrow as pa

from tabbench.core.generator import GENERATORS, TARGET
from tabbench.reading.located import Located
from tabbench.reading.parameters import split_parameters
from tabbench.reading.source import NamedTable

SCHEME = "generated:"


def locate_generated(source: str) -> Located:
    """The table that `source` names, with its target, task and roles.

    Raises
    ------
    UnknownName, BadOption
        An unknown generator or parameter, or a value that it cannot have.
    """
    name, given = split_parameters(source.removeprefix(SCHEME), source)
    generator = GENERATORS.get(name)
    values = generator.checked(given)
    described = ", ".join(f"{parameter} {value}" for parameter, value in values.items())
    table = pa.Table.from_pandas(generator.table(**values), preserve_index=False)
    return Located(NamedTable(name, table, f"generated ({described})"), target=TARGET, task=generator.task(values),
                   group=generator.group, time=generator.time)
