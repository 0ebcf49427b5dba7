"""Findings as a person reads them: many of one kind are one line. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabbench.core.phrases import first_few

MOST_OF_A_KIND = 3
"""Findings of one kind that are told one by one; of more, as many are the examples."""


def of_a_kind_as_one(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of findings, in order, where more than three of one code and severity are one row with a count and examples.

    >>> rows = [{"code": "copied-column", "severity": "info", "subject": each, "message": f"{each} equals a", "cure": ""}
    ...         for each in "bcdef"]
    >>> [row["message"] for row in of_a_kind_as_one(rows)]
    ['5 findings of this kind: b equals a; c equals a; d equals a; ...']
    """
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in findings:
        kinds.setdefault((row["severity"], row["code"]), []).append(row)
    told: list[dict[str, Any]] = []
    for rows in kinds.values():
        told += [_as_one(rows)] if len(rows) > MOST_OF_A_KIND else [dict(row) for row in rows]
    return told


def _as_one(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    cures = {row["cure"] for row in rows}
    shared = cures.pop() if len(cures) == 1 else ""
    examples = [row["message"] if shared or not row["cure"] else f"{row['message']} ({row['cure']})" for row in rows]
    return {**rows[0], "subject": first_few([row["subject"] for row in rows], MOST_OF_A_KIND), "cure": shared,
            "message": f"{len(rows):,} findings of this kind: {'; '.join(examples[:MOST_OF_A_KIND])}; ..."}


def sentence(row: Mapping[str, Any]) -> str:
    """Message and cure as one sentence."""
    return f"{row['message']}; {row['cure']}" if row["cure"] else str(row["message"])
