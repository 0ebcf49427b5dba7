"""What is said about numbers that were written as text: which cells are missing, bounds, converted, or on another scale."""

from __future__ import annotations

import shlex

import numpy as np
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.text_numbers import MixedScales, NumbersInText, WordsAmong

MOST_SHOWN = 2
WORDS_AMONG = "words-among-numbers"


def number_findings(name: str, spellings: pa.StringArray, rows: np.ndarray, read: NumbersInText) -> tuple[Finding, ...]:
    """One finding for each sort of cell that was not a plain number."""
    def some(positions: np.ndarray) -> str:
        return _examples(spellings, rows, positions)

    def cells(positions: np.ndarray) -> str:
        return counted(int(rows[positions].sum()), "cell")

    subject, example, mark = shown(name), shown(spellings[0].as_py()), read.notation.decimal
    said = [Finding("number-in-text", "info", subject, f"{subject} is text that is read as numbers, such as {example!r}")]
    if len(read.strays):
        said.append(Finding("stray-word", "warn", subject, f"{subject} holds numbers but for {cells(read.strays)} "
                            f"({some(read.strays)}), which count as missing",
                            "correct these cells, or write a number for what they mean"))
    if len(read.mixed):
        said.append(Finding("mixed-notation", "warn", subject, f"{subject} holds {cells(read.mixed)} in another notation than "
                            f"the others ({some(read.mixed)}), which count as missing", "write all cells alike"))
    if len(read.bounds):
        said.append(Finding("bound", "warn", subject, f"{subject} holds {cells(read.bounds)} that give a bound only "
                            f"({some(read.bounds)}), which is taken for the value", "write what is known of the value"))
    if len(read.marked):
        said.append(Finding("marked-number", "warn", subject, f"{subject} holds {cells(read.marked)} with a mark behind the "
                            f"number ({some(read.marked)}), which is ignored",
                            "keep the mark in a column of its own if it matters"))
    if len(read.converted):
        said.append(Finding("converted-unit", "info", subject, f"{subject} holds {cells(read.converted)} in another unit "
                            f"({some(read.converted)}), converted into {read.notation.unit}"))
    if read.is_open:
        is_point = "," not in (mark, read.notation.thousands)
        meaning = "decimal mark" if mark == "," or is_point else "thousands mark"
        said.append(Finding("open-notation", "warn", subject, f"the {'point' if is_point else 'comma'} in {subject} ({example}) "
                            f"could be a decimal or a thousands mark and is read as {meaning}",
                            "write the numbers without thousands marks"))
    return tuple(said)


def scales_differ(name: str, spellings: pa.StringArray, rows: np.ndarray, read: MixedScales | NumbersInText,
                  is_target: bool) -> Finding:
    """What to say of a column whose numbers don't share a scale.

    Raises
    ------
    BadData
        It is the target.
    """
    others = read.others if isinstance(read, MixedScales) else read.mixed
    common = read.common if isinstance(read, MixedScales) else np.flatnonzero(~np.isnan(read.values))
    differ = (f"{counted(int(rows[others].sum()), 'cell')} in another notation ({_examples(spellings, rows, others)}) than "
              f"{counted(int(rows[common].sum()), 'other')} ({_examples(spellings, rows, common)})")
    if is_target:
        raise BadData(f"the target {shown(name)!r} holds {differ}; write all of its cells in one unit with the same marks")
    return Finding("mixed-notation", "warn", shown(name), f"{shown(name)} holds {differ} and stays text",
                   "write all cells in one unit with the same marks")


def words_among(name: str, spellings: pa.StringArray, rows: np.ndarray, read: WordsAmong) -> Finding:
    """What to say of labels most of which are numbers."""
    return Finding(WORDS_AMONG, "warn", shown(name),
                   f"{shown(name)} holds {counted(int(rows[read.numbers].sum()), 'number')} "
                   f"({_examples(spellings, rows, read.numbers)}) and {counted(int(rows[read.words].sum()), 'other cell')} "
                   f"({_examples(spellings, rows, read.words)}), and is read as labels",
                   f"if the other cells are missing values, say --type {shlex.quote(name + '=number')}")


def _examples(spellings: pa.StringArray, rows: np.ndarray, positions: np.ndarray) -> str:
    """The commonest few."""
    order = positions[np.argsort(-rows[positions], kind="stable")]
    return first_few(spellings.take(pa.array(order)).to_pylist(), MOST_SHOWN)
