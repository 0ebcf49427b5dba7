"""Compares the figures of a benchmark with those of the run before: what became more than 10 % worse is named.

Figures are the first number of what was measured. Ratios and shares hold on any machine; seconds and megabytes are compared only
with those of the same machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MOST_GROWTH = 1.1
FIGURE = re.compile(r"(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?)\s*(?P<unit>×|%|ms|s|MB|GB|min)")
ON_ANY_MACHINE = ("×", "%")
SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "MB": 1.0, "GB": 1000.0, "×": 1.0, "%": 1.0}

Row = Sequence[str]
"""What was measured, the figure, the goal."""


def compared(path: Path, section: str, rows: Iterable[Row], machine: str) -> list[str]:
    """What has become worse since the run that is kept in the file, which then holds this one's figures instead."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    earlier, now = kept.get(section, {"machine": machine, "figures": {}}), figures(rows)
    worse = slower(earlier["figures"], now, is_same_machine=earlier["machine"] == machine)
    kept[section] = {"machine": machine, "figures": now}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return worse


def figures(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """What was measured -> number, unit, and whether more is better, as its goal says.

    >>> figures([("reading", "1.56 × (3.1 s)", "≤ 1.5 ×"), ("by hand", "7.5 ×", "≥ 8 ×"), ("versions", "none", "")])
    {'reading': [1.56, '×', False], 'by hand': [7.5, '×', True]}
    """
    found = {}
    for what, measured, goal in rows:
        figure = FIGURE.search(measured)
        if figure is not None:
            number = float(figure["number"].replace(",", "")) * SECONDS[figure["unit"]]
            found[what] = [number, figure["unit"], goal.lstrip().startswith("≥")]
    return found


def slower(earlier: dict[str, list[Any]], now: dict[str, list[Any]], *, is_same_machine: bool) -> list[str]:
    """A line for each figure that is more than a tenth worse than it was.

    >>> slower({"reading": [1.5, "×", False], "fit": [2.0, "s", False]}, {"reading": [1.8, "×", False], "fit": [9.0, "s", False]},
    ...        is_same_machine=False)
    ['reading: 1.5 × before, 1.8 × now']
    """
    lines = []
    for what, (number, unit, is_more_better) in now.items():
        before = earlier.get(what)
        if before is None or before[1] != unit or not (is_same_machine or unit in ON_ANY_MACHINE):
            continue
        worse, better = (before[0], number) if is_more_better else (number, before[0])
        if float(worse) > MOST_GROWTH * float(better):
            lines.append(f"{what}: {before[0] / SECONDS[unit]:g} {unit} before, {number / SECONDS[unit]:g} {unit} now")
    return lines
