"""Sensitivity analysis: the verdict by another metric or on changed data, beside the one that was declared.

Exploratory: nothing is corrected for multiple looks, and each answer says how it differs. Knows no file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData
from tabbench.core.metric import Metric
from tabbench.verdict.evidence import LossEvidence, build_evidence
from tabbench.verdict.judge import decide_pairs
from tabbench.verdict.scoring import Predictions, Question, ScoreCell, score_cell
from tabbench.verdict.winners import BASELINE, winners_frame

ALMOST_ALL = 0.8
"""Training sizes at least this near to one another are told as the same: a curve hardly moves in a third of a doubling."""

KINDS = ("metric", "without", "grouped-by", "in-time-by", "not-grouped", "not-in-time")
"""What may be changed: the metric that decides, a column that is left out, or by which columns the rows are split."""


@dataclass(frozen=True)
class Change:
    """One thing that is changed about a comparison: one of `KINDS` and a metric's or a column's name, "" if there is none."""

    kind: str
    subject: str


@dataclass(frozen=True)
class Answer:
    """A row of `winners`, the approaches that took part, and whether those not separated are shown to be practically equal."""

    size: int
    decision: str
    approaches: tuple[str, ...]
    best: str
    recommended: str | None
    ran: tuple[str, ...]
    are_equal: bool = False

    @classmethod
    def at(cls, winners: pd.DataFrame, pairs: pd.DataFrame, size: int) -> Answer:
        """The answer at a size that was judged."""
        row = winners[winners["size"] == size].iloc[0]
        top, here = list(row["approaches"]), pairs[pairs["size"] == size]
        among = here[here["first"].isin(top) & here["second"].isin(top)]
        ran = dict.fromkeys([*here["first"], *here["second"]]) or [row["best"]]
        return cls(size, row["decision"], tuple(top), row["best"], row["recommended"], tuple(ran),
                   len(among) > 0 and bool((among["decision"] == "equal").all()))

    @property
    def foremost(self) -> str:
        """The recommended approach; the best where nothing is recommended."""
        return self.best if self.recommended is None else self.recommended

    def flips(self, verdict: Answer) -> bool:
        """Whether the foremost of `verdict` is shown to be worse here, or only one of the two answers names an approach."""
        if "none" in (self.decision, verdict.decision):
            return self.decision != verdict.decision
        return verdict.foremost not in self.approaches and verdict.foremost in self.ran

    def holds(self, verdict: Answer) -> bool:
        """Whether the verdict stands: a winner wins here, too; of several, the foremost is not shown to be worse."""
        if "none" in (self.decision, verdict.decision):
            return self.decision == verdict.decision
        return verdict.foremost in self.approaches and (verdict.decision != "winner" or self.decision == "winner")


@dataclass(frozen=True)
class ChangeOutcome:
    """The result of one change: an answer and how many cells failed, or the reason why there is none.

    `names` are the approaches.
    """

    change: Change
    names: tuple[str, ...]
    answer: Answer | None = None
    reason: str = ""
    failed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same outcome back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ChangeOutcome:
        """The outcome that `to_json` wrote."""
        answer = values["answer"]
        if answer is not None:
            answer = Answer(**{**answer, "approaches": tuple(answer["approaches"]), "ran": tuple(answer["ran"])})
        return cls(Change(**values["change"]), tuple(values["names"]), answer, values["reason"], values["failed"])


class Unanswered(Enum):
    """Why there is no answer."""

    UNDEFINED = auto()  # the metric is, in every test part
    NO_VERDICT = auto()  # the comparison has none at the size at which the change was tried
    NOT_TRIED = auto()  # for a reason that is given


@dataclass(frozen=True)
class WhatIf:
    """What a change makes of the answer, beside the verdict at the same size.

    Parameters
    ----------
    answer : Answer | None, default None
        None where there is none; `unanswered` says why then, with a `reason` where it was not tried.
    verdict : Answer | None, default None
        At the size of the comparison that is nearest to the answer's.
    is_at_headline : bool, default True
        Whether that is the headline.
    suits_constants : bool, default False
        Whether a constant prediction is as good as any by the changed metric, whatever the data; it is compared with nothing
        then, so that it flips nothing.
    tried_at : int, default 0
        The size at which there is no verdict.
    failed : int, default 0
        How many of its cells failed.
    """

    change: Change
    answer: Answer | None = None
    verdict: Answer | None = None
    is_at_headline: bool = True
    suits_constants: bool = False
    failed: int = 0
    unanswered: Unanswered | None = None
    tried_at: int = 0
    reason: str = ""

    def row(self) -> dict[str, Any]:
        """The columns of result.json's `what_if`, but for those in words."""
        about = {"kind": self.change.kind, "subject": self.change.subject}
        answer = self.answer
        if answer is None:
            nothing = dict.fromkeys(("size", "decision", "best", "recommended", "flips", "holds"))
            return about | nothing | {"approaches": []}
        verdict = self.verdict or answer
        return about | {"size": answer.size, "decision": answer.decision, "approaches": list(answer.approaches),
                        "best": answer.best, "recommended": answer.recommended, "flips": answer.flips(verdict),
                        "holds": answer.holds(verdict)}


def by_metric(metric: Metric, question: Question, predictions: Predictions, verdict: Answer, evidence: LossEvidence, *,
              margin: float | None, alpha: float, seed: int, stopped: Collection[tuple[str, int]] = (),
              lacking: Mapping[int, Collection[str]] | None = None, score: ScoreCell = score_cell) -> WhatIf:
    """The answer at the verdict's size if `metric` decided there, by the same judge at the same level.

    Parameters
    ----------
    evidence : LossEvidence
        Of the verdict, which says what took part.
    margin : float | None
        As in `margin_value`.
    stopped : Collection[tuple[str, int]]
        What a race has stopped at the verdict's size.
    lacking : Mapping[int, Collection[str]] | None, default None
        Size -> families that were not run there.
    score : ScoreCell, default score_cell
        What scores a cell.
    """
    size, change = verdict.size, Change("metric", metric.name)
    present = [(name, size) for name in evidence.present(size)]
    try:
        of_metric = build_evidence(
            question, metric, predictions, present, approaches=evidence.approaches, families=evidence.families,
            cost_ranks=evidence.cost_ranks, representatives=evidence.representatives, margin=margin,
            score=score)
    except BadData:
        return WhatIf(change, unanswered=Unanswered.UNDEFINED)
    here = [pair for pair in stopped if pair[1] == size]
    pairs = decide_pairs(of_metric, alpha=alpha, seed=seed, stopped=here, has_crossings=False).pairs
    answer = Answer.at(winners_frame(of_metric, pairs, lacking=lacking), pairs, size)
    if not metric.rewards_knowledge and answer.decision == "none" and _is_constant_as_good(of_metric, size):
        return WhatIf(change, answer, suits_constants=True)
    return WhatIf(change, answer, verdict)


def _is_constant_as_good(evidence: LossEvidence, size: int) -> bool:
    means = {name: evidence.mean(name, size) for name in evidence.present(size)}
    of_constant = min((value for name, value in means.items() if evidence.families[name] == BASELINE), default=np.inf)
    return of_constant - min(means.values()) <= evidence.margin


def on_changed_data(outcome: ChangeOutcome, winners: pd.DataFrame, pairs: pd.DataFrame, headline: int) -> WhatIf:
    """The result of a change beside the verdict at the same size."""
    change, answer = outcome.change, outcome.answer
    if answer is None:
        return WhatIf(change, unanswered=Unanswered.NOT_TRIED, reason=outcome.reason)
    is_headline = answer.size >= ALMOST_ALL * headline
    size = headline if is_headline else max((int(size) for size in winners["size"] if size <= answer.size), default=0)
    if not size:
        return WhatIf(change, unanswered=Unanswered.NO_VERDICT, tried_at=answer.size)
    return WhatIf(change, answer, Answer.at(winners, pairs, size), is_headline, failed=outcome.failed)
