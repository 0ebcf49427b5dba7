"""Labels that differ only in how they are written: in case, in blanks, in a full stop at the end. Knows no column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from tabbench.core.phrases import shown


def folded(label: str) -> str:
    """What labels that are written differently have in common.

    >>> folded("<=50K."), folded("New  York")
    ('<=50k', 'newyork')
    """
    without_blanks = "".join(label.split()).casefold()
    return without_blanks.rstrip(".") or without_blanks


def alike(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that differ only in how they are written.

    >>> alike(["yes", "no", "Yes"])
    [['yes', 'Yes']]
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        groups[folded(label)].append(label)
    return [group for group in groups.values() if len(group) > 1]


def merged(labels: Sequence[str], rows: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The labels that stay, the one of most rows of each group, and the position of each label among them.

    >>> merged(["yes", "no", "Yes"], np.array([3, 9, 5]))
    (['Yes', 'no'], array([0, 1, 0]))
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        groups[folded(label)].append(place)
    place_of = {each: place for place, group in enumerate(groups.values()) for each in group}
    kept = [labels[max(group, key=lambda each: (rows[each], -each))] for group in groups.values()]
    return kept, np.array([place_of[each] for each in range(len(labels))], dtype=np.int64)


def in_quotes(labels: Sequence[str], most: int = 4) -> str:
    """A few labels as in a sentence, so that blanks and dots show."""
    named = ", ".join(repr(shown(label)) for label in labels[:most])
    return named if len(labels) <= most else f"{named} and {len(labels) - most:,} more"
