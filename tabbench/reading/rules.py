"""What the reading of a column takes into account besides its cells."""

from __future__ import annotations

from dataclasses import dataclass

from tabbench.core.notation import DecimalHint


@dataclass(frozen=True)
class Rules:
    """How the columns of a table are to be read.

    Parameters
    ----------
    hint : DecimalHint
        How a mark before exactly three digits is read where the column itself does not tell.
    missing : tuple[str, ...] | None, default None
        The user's codes for a missing value; by default those that the column shows.
    merge_labels : bool, default False
        Labels that differ only in case, blanks or a full stop at the end are one.
    is_target : bool, default False
        Dashes and words such as "none" stay labels, and numbers on several scales are refused.
    """

    hint: DecimalHint = DecimalHint()
    missing: tuple[str, ...] | None = None
    merge_labels: bool = False
    is_target: bool = False


USUAL = Rules()
