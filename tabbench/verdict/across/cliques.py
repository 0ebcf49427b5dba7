"""Cliques of a critical-difference diagram: approaches next to one another in mean rank that no test tells apart."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def cliques(ranked: Sequence[str], pairs: pd.DataFrame) -> list[tuple[str, ...]]:
    """The longest runs of approaches, in order of their mean rank, in which no pair is shown to differ (Demšar 2006).

    Decided by the pairs' own tests (Wilcoxon with Holm's correction), not by a common critical difference of mean ranks, which
    would depend on what else takes part. "Practically equal" is not a difference.

    Parameters
    ----------
    ranked : Sequence[str]
        Names, the best mean rank first.
    pairs : DataFrame
        Columns first, second and decision.

    >>> pairs = pd.DataFrame({"first": ["a", "a", "b"], "second": ["b", "c", "c"], "decision": ["undecided", "first", "equal"]})
    >>> cliques(["a", "b", "c"], pairs)
    [('a', 'b'), ('b', 'c')]
    """
    told_apart = {frozenset((row.first, row.second)) for row in pairs.itertuples() if row.decision in ("first", "second")}
    found: list[tuple[str, ...]] = []
    last_end = 0
    for start in range(len(ranked)):
        end = start + 1
        while end < len(ranked) and not any(frozenset((ranked[end], each)) in told_apart for each in ranked[start:end]):
            end += 1
        if end - start > 1 and end > last_end:
            found.append(tuple(ranked[start:end]))
            last_end = end
    return found
