"""What a report says of incidents in training: one line for all that are alike, in plain words.

Plain text; each format makes it safe in its own way. The words for a code are the guard's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.faults import FAULTS
from tabbench.report.standings import deciding_scores
from tabbench.wording.numbers import NOTHING, rows
from tabbench.wording.terms import place

_MOST_SEVERE_FIRST = ("given up", "stopped with the best weights so far", "reported only", "training went on", "healed")


@dataclass(frozen=True)
class IncidentGroup:
    """Incidents of one approach, code and outcome; `times` in all, in `fits` of `fits_in_all`; seen and done in the first one."""

    code: str
    title: str
    approach: str
    where: str
    times: int
    fits: int
    fits_in_all: int
    seen: str
    done: str
    outcome: str
    cure: str

    @property
    def how_often(self) -> str:
        """In how many of the approach's fits, and how often in these."""
        of_all = f" of {rows(self.fits_in_all)}" if self.fits_in_all >= self.fits else ""
        fits = f"{rows(self.fits)}{of_all} {'fit' if max(self.fits, self.fits_in_all) == 1 else 'fits'}"
        return fits if self.times == self.fits else f"{fits}, {rows(self.times)} times"


def incident_groups(comparison: Comparison) -> list[IncidentGroup]:
    """The most severe first, then those that happened most often."""
    alike: dict[tuple[str, str, str], list[dict[Any, Any]]] = {}
    for row in comparison.incidents.to_dict("records"):
        alike.setdefault((str(row["approach"]), str(row["code"]), str(row["outcome"])), []).append(row)
    scores = deciding_scores(comparison)
    fits = scores.groupby("approach")["splits"].sum().to_dict()
    groups = [_group(*key, same, int(fits.get(key[0], 0))) for key, same in alike.items()]
    return sorted(groups, key=lambda group: (_severity(group.outcome), -group.times, group.code, group.approach))


def incident_line(group: IncidentGroup) -> str:
    """A group as a line for a terminal, without its code."""
    return f"{group.approach}: {group.title}, in {group.how_often}; {group.outcome}"


def _group(approach: str, code: str, outcome: str, same: Sequence[dict[Any, Any]], fits_in_all: int) -> IncidentGroup:
    fault, first = FAULTS.get(code), same[0]
    where = f"{place(first)}, {first['where']}"
    if len(same) > 1:
        where = f"{approach} at {_sizes([int(row['size']) for row in same])} rows"
    fits = len({(row["size"], row["repeat"], row["fold"]) for row in same})
    return IncidentGroup(
        code, fault.title if fault else str(first["diagnosis"]), approach, where, len(same), fits, fits_in_all,
        str(first["evidence"]), str(first["action"]), outcome, fault.cure.replace("`", "") if fault else NOTHING)


def _sizes(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return rows(low) if low == high else f"{rows(low)} to {rows(high)}"


def _severity(outcome: str) -> int:
    return _MOST_SEVERE_FIRST.index(outcome) if outcome in _MOST_SEVERE_FIRST else len(_MOST_SEVERE_FIRST)
