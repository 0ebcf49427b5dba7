"""What a report says of feature selection: at which sizes it helps, how much it keeps, how stable the choice is.

Plain text; each format makes it safe in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.phrases import listed
from tabbench.wording.numbers import NOTHING, fixed, known, rows

MOST_NAMED = 6
"""Chosen columns that a table's cell names; result.json holds more."""
EFFECTS = {"helps": "better", "hurts": "worse", "equal": "practically equal", "undecided": "undecided"}
STABILITY_NOTE = (
    "Columns kept: the number of the table's columns of which anything was kept, mean over the splits. Stability: 1 when every "
    "split keeps the same columns, 0 when they agree as often as by chance, negative when less often (Nogueira, Sechidis and "
    "Brown, JMLR 2018).")


def selection_lines(comparison: Comparison) -> list[str]:
    """One line an approach with a selector: where it helps, then its choice at the largest size."""
    return [_line(name, records, comparison) for name, records in _by_approach(comparison).items()]


def selection_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Approach, training rows, columns kept, stability, compared with the learner alone, the columns chosen most often."""
    return [
        (name, rows(record["size"]), fixed(known(record["n_selected_mean"]), 1), fixed(known(record["stability"]), 2),
         EFFECTS.get(str(record["effect"]), NOTHING), _most_chosen(record))
        for name, records in _by_approach(comparison).items() for record in records]


def _by_approach(comparison: Comparison) -> dict[str, list[dict[Any, Any]]]:
    found: dict[str, list[dict[Any, Any]]] = {}
    for record in comparison.selection.to_dict("records"):
        found.setdefault(str(record["approach"]), []).append(record)
    return found


def _line(name: str, records: Sequence[dict[Any, Any]], comparison: Comparison) -> str:
    last = records[-1]
    parts = [f"{name} {_where_it_counts(records)}"]
    kept, alike = known(last["n_selected_mean"]), known(last["stability"])
    if kept is not None:
        stable = "" if alike is None else f" (stability {fixed(alike, 2)})"
        parts.append(f"at {rows(last['size'])} rows it keeps {kept:.3g} of {rows(comparison.table['columns'])} columns{stable}")
    return "; ".join(parts)


def _where_it_counts(records: Sequence[dict[Any, Any]]) -> str:
    base = records[0]["base"]
    judged = [record for record in records if record["effect"] in EFFECTS]
    if not judged:
        return f"cannot be compared with {base}, which was not run"
    spans = {effect: _spans([int(each["size"]) for each in judged], [each["effect"] == effect for each in judged])
             for effect in ("helps", "hurts")}
    said = [f"{effect} at {span} rows, compared with {base}" for effect, span in spans.items() if span]
    if not spans["helps"]:
        said.insert(0, f"is not shown to help {base} at any size")
    return ", and ".join(said)


def _spans(sizes: Sequence[int], is_so: Sequence[bool]) -> str:
    """Runs of neighbouring sizes.

    >>> _spans([125, 250, 500, 1000], [True, True, False, True])
    '125 to 250 and 1,000'
    """
    runs: list[list[int]] = []
    for place, (size, holds) in enumerate(zip(sizes, is_so, strict=True)):
        if holds and place and is_so[place - 1]:
            runs[-1].append(size)
        elif holds:
            runs.append([size])
    return listed([rows(run[0]) if len(run) == 1 else f"{rows(run[0])} to {rows(run[-1])}" for run in runs])


def _most_chosen(record: dict[Any, Any]) -> str:
    named = [f"{each['feature']} {each['share_of_splits']:.0%}" for each in record["chosen"][:MOST_NAMED]]
    are_more = len(record["chosen"]) > MOST_NAMED  # result.json's list is cut as well, so that it cannot be counted
    return ", ".join(named) + (" and others" if are_more else "") if named else NOTHING
