"""What a verification of finished runs has found, as plain values: all that its sentences are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class CellPlace:
    """Which fit of which table."""

    table: str
    approach: str
    size: int
    repeat: int
    fold: int


class Rerun(StrEnum):
    """How a cell that was to be run again compares with its stored result."""

    EQUAL = "equal"
    WITHIN_MARGIN = "within_margin"
    DIFFERS = "differs"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class RerunCell:
    """A cell that was chosen to be run again.

    Parameters
    ----------
    place : CellPlace
        Which one.
    outcome : Rerun
        How the two results compare.
    reason : str, default ""
        Why equality bit by bit was not required, or why the cell was not run again.
    largest : float | None, default None
        Largest difference between two predictions; None where there are not two of them.
    gap : float | None, default None
        Absolute difference of the deciding metric's scores; None where there are not two of them.
    margin : float | None, default None
        What the gap may be where equality is not required.
    """

    place: CellPlace
    outcome: Rerun
    reason: str = ""
    largest: float | None = None
    gap: float | None = None
    margin: float | None = None


class Damage(StrEnum):
    """What was found to be changed without running anything."""

    RESULT = "result"
    CELL = "cell"
    SPLITS = "splits"
    TABLE = "table"
    MANIFEST = "manifest"
    REPORTED = "reported"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Difference:
    """Something that is not what the run has stored, or not what its store gives.

    Parameters
    ----------
    kind : Damage
        What is changed.
    table : str
        Name of the table.
    place : CellPlace | None, default None
        The cell, where it is one.
    section : str, default ""
        Part of result.json, where it is one.
    row : Mapping[str, Any]
        What names the row of that part.
    value : str, default ""
        The value's name in the row.
    written, computed : Any
        What the file says and what the store gives.
    """

    kind: Damage
    table: str
    place: CellPlace | None = None
    section: str = ""
    row: Mapping[str, Any] | None = None
    value: str = ""
    written: Any = None
    computed: Any = None


@dataclass(frozen=True)
class FolderCheck:
    """What the files of one run say about themselves: how many results there are, and what is changed.

    `is_compared_by_scores`: only the scores of result.json were compared; `is_unfinished`: planned cells have no result.
    """

    table: str
    results: int
    differences: tuple[Difference, ...] = ()
    is_compared_by_scores: bool = False
    is_unfinished: bool = False


@dataclass(frozen=True)
class Verification:
    """Result of `verify`.

    Parameters
    ----------
    folder : str
        The folder that was verified.
    is_equal : bool
        Whether nothing differs.
    sentences : tuple of str
        What was found, the most important last.
    cells : tuple of RerunCell
        The cells that were chosen to be run again.
    checks : tuple of FolderCheck
        What was checked without running anything, one for each table.
    seed : int
        Seed of the choice of cells.

    See Also
    --------
    verify : Verify a run or a suite.
    """

    folder: str
    is_equal: bool
    sentences: tuple[str, ...]
    cells: tuple[RerunCell, ...]
    checks: tuple[FolderCheck, ...]
    seed: int

    def __str__(self) -> str:
        return "\n".join(self.sentences)
