"""What would flip the answer: the verdict by another metric or on changed data, beside the one that was declared.

Views, not verdicts: nothing is corrected for having looked several times, and the words say how they differ. Knows no file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.core.errors import BadData
from tabbench.core.metric import Metric
from tabbench.core.phrases import METRIC_WORDS, listed
from tabbench.verdict.evidence import Evidence, build_evidence
from tabbench.verdict.judge import decide_pairs
from tabbench.verdict.scoring import Predictions, Question
from tabbench.verdict.winners import BASELINE, winners_frame

CALIBRATED_WITHOUT_KNOWLEDGE = "calibration_error"
"""The metric by which a constant prediction is among the best whatever the data: it can't choose an approach, so it flips
nothing."""

ALMOST_ALL = 0.8
"""Training sizes at least this near to one another are told as the same: a curve hardly moves in a third of a doubling."""

Row = Mapping[str, Any]


PHRASES = {
    "metric": "judged by {}", "without": "without `{}`", "grouped-by": "split by whole groups of `{}`",
    "in-time-by": "split forward in time by `{}`", "not-grouped": "split without keeping `{}` together",
    "not-in-time": "split without regard to `{}`",
}
"""What is changed, around its subject: a metric or a column."""
NOTHING_TO_CHANGE = {"without": "without the most suspicious feature", "grouped-by": "split by whole groups",
                     "in-time-by": "split forward in time"}
"""The same where there is no such column."""


@dataclass(frozen=True)
class Change:
    """One thing that is changed about a comparison: a key of `PHRASES` and a metric's or a column's name, "" if there is none."""

    kind: str
    subject: str

    @property
    def phrase(self) -> str:
        """What is changed, in words.

        >>> Change("metric", "auc").phrase, Change("without", "duration").phrase
        ('judged by AUC', 'without `duration`')
        """
        if not self.subject:
            return NOTHING_TO_CHANGE[self.kind]
        name = METRIC_WORDS.get(self.subject, self.subject.replace("_", " ")) if self.kind == "metric" else self.subject
        return PHRASES[self.kind].format(name)

    @property
    def title(self) -> str:
        """The same at the beginning of a sentence."""
        return self.phrase[0].upper() + self.phrase[1:]


@dataclass(frozen=True)
class Answer:
    """Who wins: a row of `winners`, who took part, and whether those not separated are shown to be practically equal."""

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
        """Whom it tells to take; the best where nothing is recommended."""
        return self.best if self.recommended is None else self.recommended

    def flips(self, verdict: Answer) -> bool:
        """Whether the foremost of `verdict` is shown to be worse here, or only one of the two answers names anybody."""
        if "none" in (self.decision, verdict.decision):
            return self.decision != verdict.decision
        return verdict.foremost not in self.approaches and verdict.foremost in self.ran

    def holds(self, verdict: Answer) -> bool:
        """Whether the verdict stands: a winner wins here, too; of several, the foremost is not shown to be worse."""
        if "none" in (self.decision, verdict.decision):
            return self.decision == verdict.decision
        return verdict.foremost in self.approaches and (verdict.decision != "winner" or self.decision == "winner")


@dataclass(frozen=True)
class Outcome:
    """What came of one change: an answer and how many cells failed, or why there is none; `names` are the approaches."""

    change: Change
    names: tuple[str, ...]
    answer: Answer | None = None
    reason: str = ""
    failed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same outcome back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Outcome:
        """The outcome that `to_json` wrote."""
        answer = values["answer"]
        if answer is not None:
            answer = Answer(**{**answer, "approaches": tuple(answer["approaches"]), "ran": tuple(answer["ran"])})
        return cls(Change(**values["change"]), tuple(values["names"]), answer, values["reason"], values["failed"])


def by_metric(metric: Metric, question: Question, predictions: Predictions, verdict: Answer, evidence: Evidence, *,
              margin: float | None, alpha: float, seed: int, stopped: Collection[tuple[str, int]] = (),
              lacking: Mapping[int, Collection[str]] | None = None) -> dict[str, Any]:
    """A row of `what_if`: the answer at the verdict's size if `metric` decided there, by the same judge at the same level.

    Parameters
    ----------
    evidence : of the verdict, which says what took part.  margin : as in `margin_value`.
    stopped : what a race has stopped at the verdict's size.  lacking : size -> families that were not run there.
    """
    size, change = verdict.size, Change("metric", metric.name)
    present = [(name, size) for name in evidence.present(size)]
    try:
        of_metric = build_evidence(
            question, metric, predictions, present, approaches=evidence.approaches, families=evidence.families,
            cost_ranks=evidence.cost_ranks, representatives=evidence.representatives, margin=margin)
    except BadData:
        return unanswered(change, "it is undefined in every test part")
    pairs = decide_pairs(of_metric, alpha=alpha, seed=seed, stopped=[pair for pair in stopped if pair[1] == size]).pairs
    answer = Answer.at(winners_frame(of_metric, pairs, lacking=lacking), pairs, size)
    if metric.name == CALIBRATED_WITHOUT_KNOWLEDGE and answer.decision == "none" and _is_constant_as_good(of_metric, size):
        return answered(change, answer, answer) | {
            "sentence": f"{change.title}, nobody can be chosen: a constant prediction is well calibrated, too."}
    return answered(change, answer, verdict)


def _is_constant_as_good(evidence: Evidence, size: int) -> bool:
    means = {name: evidence.mean(name, size) for name in evidence.present(size)}
    of_constant = min((value for name, value in means.items() if evidence.families[name] == BASELINE), default=np.inf)
    return of_constant - min(means.values()) <= evidence.margin


def on_changed_data(outcome: Outcome, winners: pd.DataFrame, pairs: pd.DataFrame, headline: int) -> dict[str, Any]:
    """A row of `what_if`: what came of a change beside the verdict at the same size, which is named if not the headline's."""
    change, answer = outcome.change, outcome.answer
    if answer is None:
        return unanswered(change, outcome.reason)
    is_headline = answer.size >= ALMOST_ALL * headline
    size = headline if is_headline else max((int(size) for size in winners["size"] if size <= answer.size), default=0)
    if not size:
        return unanswered(change, f"it was tried at {answer.size:,} rows, where the comparison has no verdict")
    row = answered(change, answer, Answer.at(winners, pairs, size))
    said = row["sentence"] if is_headline else f"At {size:,} rows, {row['sentence'][0].lower()}{row['sentence'][1:]}"
    failed = f"; {outcome.failed:,} of its runs failed." if outcome.failed else "."
    return row | {"sentence": said.removesuffix(".") + failed}


def answered(change: Change, answer: Answer, verdict: Answer) -> dict[str, Any]:
    """A row of `what_if` with an answer."""
    return {"kind": change.kind, "subject": change.subject, "change": change.phrase, "size": answer.size,
            "decision": answer.decision, "approaches": list(answer.approaches), "best": answer.best,
            "recommended": answer.recommended, "flips": answer.flips(verdict), "holds": answer.holds(verdict),
            "sentence": f"{change.title}, {compared(answer, verdict)}."}


def unanswered(change: Change, reason: str) -> dict[str, Any]:
    """A row of `what_if` for what could not be asked; its sentence says why."""
    return {"kind": change.kind, "subject": change.subject, "change": change.phrase, "size": None, "decision": None,
            "approaches": [], "best": None, "recommended": None, "flips": None, "holds": None,
            "sentence": f"{change.title}: not answered, since {reason}."}


def what_if_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The columns of result.json."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS["what_if"]), dtype=object)


def compared(answer: Answer, verdict: Answer) -> str:
    """The answer as a clause that says how it differs from the verdict.

    >>> from dataclasses import replace
    >>> wins = Answer(100, "winner", ("boosting",), "boosting", "boosting", ("dummy", "linear", "boosting"))
    >>> compared(wins, wins)
    'boosting wins as well'
    >>> compared(replace(wins, approaches=("linear",), best="linear", recommended="linear"), wins)
    'linear wins instead of boosting'
    >>> compared(replace(wins, decision="top_set", approaches=("boosting", "linear")), wins)
    'no single approach wins (boosting and linear cannot be told apart)'
    """
    either = " either" if verdict.decision == answer.decision else ""
    if answer.decision == "none":
        return f"no approach can be named{either}"
    absent = [name for name in verdict.ran if name not in answer.ran]
    left_out = f"; {listed(absent)} {'was' if len(absent) == 1 else 'were'} not run" if absent else ""
    if answer.decision == "winner":
        return _winner(answer, verdict) + left_out
    is_beaten = verdict.decision != "none" and answer.flips(verdict)
    beaten = f", and {verdict.foremost} is shown to be worse" if is_beaten else ""
    if len(answer.approaches) == 1:
        return f"{answer.best} is ahead without being shown to be better than every other approach{beaten}{left_out}"
    how = "are practically equal" if answer.are_equal else "cannot be told apart"
    return f"no single approach wins{either} ({listed(answer.approaches)} {how}){beaten}{left_out}"


def _winner(answer: Answer, verdict: Answer) -> str:
    if verdict.decision == "none":
        return f"{answer.best} wins"
    # Where families were not run, so that nothing is recommended, nobody wins by another metric either.
    wins = f"{answer.best} {'is ahead' if verdict.recommended is None else 'wins'}"
    if answer.best == verdict.foremost:
        return f"{wins} {'as well' if verdict.decision == 'winner' else 'alone'}"
    if verdict.decision == "winner":
        return f"{wins} instead of {verdict.best}"
    return wins + (f", so that {verdict.recommended} would not be the one to take" if verdict.recommended in answer.ran else "")
