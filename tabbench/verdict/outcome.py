"""The answer at the headline size as data: its outcome and numbers, the rows needed to decide, what is absent, changes of place.

What the closing sentence says is decided here; how it is said is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import pandas as pd

from tabbench.verdict.changing_places import OverSizes, over_sizes
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.tails import loss_concentration
from tabbench.verdict.winners import BASELINE, MOST_FAILED, failed_share, families_at

REPEATABLE = ("stratified", "grouped")
"""Splits that can be drawn again."""
MANY_ROWS = 10_000
"""From here on a second repeat changes next to nothing."""


FEW = 0.05
"""Share of the rows that are few to carry half of the loss; of normal errors an eighth of the rows do."""


class Outcome(Enum):
    """What came out at the headline size."""

    WINNER = auto()  # better than every other approach
    AHEAD = auto()  # the only one that is not worse than any, but not shown to be better than every other
    EQUAL = auto()  # several that are practically equal
    TIED = auto()  # several that are not separated
    ONE_APPROACH = auto()  # no verdict, here and below
    FAILURES = auto()
    NO_ERROR_KNOWN = auto()  # the splits don't show the error of the scores
    CONSTANT = auto()  # nothing is shown to be better than a constant prediction


DECIDED = frozenset({Outcome.WINNER, Outcome.AHEAD, Outcome.EQUAL, Outcome.TIED})


class Reach(Enum):
    """Which size the headline is."""

    FULL = auto()
    LARGEST_RUN = auto()  # below the full size, which was not run
    ALL_FAMILIES = auto()  # the largest with every family
    ALL_OTHER_FAMILIES = auto()  # the same, but for those that were run nowhere
    MOST_FAMILIES = auto()


class Repeats(Enum):
    """Whether more repeats would help to decide."""

    IMPOSSIBLE = auto()
    MIGHT_HELP = auto()
    HARDLY_HELP = auto()


@dataclass(frozen=True)
class Lead:
    """By how much the winner's metric differs from the next best's, between `near` and `far`, all without a sign."""

    metric: str
    is_higher: bool
    difference: float
    near: float
    far: float
    other: str
    is_over_constant: bool
    is_too_little: bool


@dataclass(frozen=True)
class RowsNeeded:
    """About so many rows in all would be needed to decide between these two; infinite where a hundred times as many might not."""

    first: str
    second: str
    rows: float
    repeats: Repeats
    is_close: bool = False  # practically equal more likely than not


@dataclass(frozen=True)
class FewRows:
    """So many rows `of` all carry half of the loss of the best approach, and nothing is decided."""

    rows: int
    of: int
    is_regression: bool


@dataclass(frozen=True)
class Missing:
    """Families of which nothing was run at the headline size for lack of time, with the approaches that were wanted.

    `are_run_below` says that something of them was run at a smaller size.
    """

    approaches: Mapping[str, Sequence[str]]
    are_run_below: bool


@dataclass(frozen=True)
class Headline:
    """The answer at the headline size.

    Parameters
    ----------
    rows : int
        The rows of the table at the full size, else the training rows.
    approaches : tuple[str, ...]
        The top set, or, without a verdict, the approach that was run if it is the only one.
    best : str
        The approach with the lowest mean loss.
    recommended : str | None, default None
        The recommended approach, None if there is none.
    failed : float, default 0.0
        Share of the cells that failed.
    stopped_early, left_out : tuple[str, ...]
        The approaches stopped early for futility, and those not run for another reason.
    lead : Lead | None, default None
        Of a winner.
    regret_bound : float | None, default None
        How much more the recommended approach loses at most than the best of the top set, in the units of `metric`; None where
        that is unknown or nothing is recommended.
    metric : str, default ""
        Name of the metric that decides.
    regret : float, default 0.0
        How much more the recommended approach loses than the one with the lowest mean loss.
    few_rows : FewRows | None, default None
        Where nothing is decided and a few rows carry the loss.
    """

    outcome: Outcome
    rows: int
    reach: Reach
    is_single_split: bool
    best: str
    approaches: tuple[str, ...] = ()
    recommended: str | None = None
    failed: float = 0.0
    lead: Lead | None = None
    rows_needed: RowsNeeded | None = None
    over_sizes: OverSizes | None = None
    stopped_early: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    regret_bound: float | None = None
    metric: str = ""
    regret: float = 0.0
    few_rows: FewRows | None = None
    missing: Missing = field(default_factory=lambda: Missing({}, are_run_below=False))

    @property
    def is_decided(self) -> bool:
        """Whether one or several approaches are shown to be ahead."""
        return self.outcome in DECIDED

    @property
    def is_withheld(self) -> bool:
        """Whether an approach is ahead and still none is recommended."""
        return self.is_decided and self.recommended is None


def headline_of(
    evidence: LossEvidence, winners: pd.DataFrame, pairs: pd.DataFrame, found: Sequence[Crossing], *,
    headline: int, full_size: int, skipped: Collection[tuple[str, int]] = (), stopped: Collection[tuple[str, int]] = (),
    missing: Mapping[str, Sequence[str]] | None = None,
) -> Headline:
    """The answer at the size `headline`; the parameters are those of `judge`, `found` the crossings of representatives."""
    row, at_size = winners[winners["size"] == headline].iloc[0], pairs[pairs["size"] == headline]
    lost, outcome = missing or {}, _outcome(evidence, row, at_size, headline)
    present = evidence.present(headline)
    stopped_early = sorted({name for name, _ in stopped} - set(present))
    return Headline(
        outcome, evidence.pool_rows if headline == full_size else headline,
        _reach(evidence, headline, full_size, stopped, is_complete=not lost), evidence.n_splits == 1, row["best"],
        tuple(present if outcome is Outcome.ONE_APPROACH else row["approaches"]), row["recommended"],
        failed_share(evidence, headline),
        _lead(evidence, row["best"], at_size, headline) if outcome is Outcome.WINNER else None,
        _rows_needed(evidence, row, at_size), over_sizes(evidence, row, pairs, found) if outcome in DECIDED else None,
        tuple(stopped_early), tuple(sorted({name for name, _ in skipped} - {*present, *stopped_early})),
        None if np.isnan(row["regret_bound"]) else float(row["regret_bound"]), evidence.metric.name,
        0.0 if np.isnan(row["regret"]) else float(row["regret"]),
        _few_rows(evidence, headline) if outcome in {Outcome.TIED, Outcome.AHEAD, Outcome.CONSTANT} else None,
        Missing(lost, any(evidence.families[name] in lost for name, _ in evidence.loss)))


def _few_rows(evidence: LossEvidence, size: int) -> FewRows | None:
    found = loss_concentration(evidence, size)
    if found is None or found.excess == 0 or found.rows > FEW * found.of:
        return None
    return FewRows(found.rows, found.of, "regression" in evidence.metric.tasks)


def _outcome(evidence: LossEvidence, row: pd.Series, at_size: pd.DataFrame, size: int) -> Outcome:
    if row["decision"] == "none":
        return _no_verdict(evidence, at_size, size)
    if row["decision"] == "winner":
        return Outcome.WINNER
    top = row["approaches"]
    if len(top) == 1:
        return Outcome.AHEAD
    among = at_size[at_size["first"].isin(top) & at_size["second"].isin(top)]
    return Outcome.EQUAL if (among["decision"] == "equal").all() else Outcome.TIED


def _no_verdict(evidence: LossEvidence, at_size: pd.DataFrame, size: int) -> Outcome:
    if len(evidence.present(size)) < 2:
        return Outcome.ONE_APPROACH
    if failed_share(evidence, size) > MOST_FAILED:
        return Outcome.FAILURES
    return Outcome.NO_ERROR_KNOWN if at_size["low"].isna().all() else Outcome.CONSTANT


def _reach(evidence: LossEvidence, headline: int, full_size: int, stopped: Collection[tuple[str, int]], *, is_complete: bool
           ) -> Reach:
    """`is_complete` is false where a family was run nowhere."""
    if headline == full_size:
        return Reach.FULL
    if headline == evidence.sizes[-1]:
        return Reach.LARGEST_RUN
    of_sizes = {size: families_at(evidence, size, stopped) for size in evidence.sizes}
    if not of_sizes[headline] >= set().union(*of_sizes.values()):
        return Reach.MOST_FAMILIES
    return Reach.ALL_FAMILIES if is_complete else Reach.ALL_OTHER_FAMILIES


def _rows_needed(evidence: LossEvidence, row: pd.Series, at_size: pd.DataFrame) -> RowsNeeded | None:
    """What would decide between the best and the others of the top set, or a constant; None where that is decided."""
    if failed_share(evidence, int(row["size"])) > MOST_FAILED:
        return None
    among = set(row["approaches"]) if row["decision"] != "none" else {
        name for name in evidence.present(int(row["size"])) if evidence.families[name] == BASELINE}
    has_best = [at_size[side].eq(row["best"]) for side in ("first", "second")]
    others = [at_size[side].isin(among) for side in ("second", "first")]
    is_relevant = has_best[0] & others[0] | has_best[1] & others[1]
    undecided = at_size[is_relevant & at_size["decision"].eq("undecided")].dropna(subset=["rows_to_settle"])
    if undecided.empty:
        return None
    hardest = undecided.loc[undecided["rows_to_settle"].idxmax()]
    return RowsNeeded(hardest["first"], hardest["second"], float(hardest["rows_to_settle"]), _repeats(evidence),
                      bool(hardest.get("p_equal", 0.0) > 0.5))


def _repeats(evidence: LossEvidence) -> Repeats:
    if evidence.split_kind not in REPEATABLE:
        return Repeats.IMPOSSIBLE
    return Repeats.MIGHT_HELP if evidence.repeats == 1 and evidence.pool_rows <= MANY_ROWS else Repeats.HARDLY_HELP


def _lead(evidence: LossEvidence, winner: str, at_size: pd.DataFrame, size: int) -> Lead:
    other = min((name for name in evidence.present(size) if name != winner), key=lambda name: evidence.mean(name, size))
    row = at_size[at_size["first"].isin([winner, other]) & at_size["second"].isin([winner, other])].iloc[0]
    near, far = sorted(abs(float(bound)) for bound in (row["low"], row["high"]))
    return Lead(evidence.metric.name, evidence.metric.higher_is_better, abs(float(row["difference"])), near, far, other,
                evidence.families[other] == BASELINE, far <= evidence.margin)
