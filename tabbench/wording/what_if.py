"""The sensitivity analysis in words: what was changed, and how its answer differs from the verdict. Decides nothing."""

from __future__ import annotations

from tabbench.core.metric import metric_words
from tabbench.core.phrases import listed
from tabbench.verdict.what_if import Answer, Change, Unanswered, WhatIf

PHRASES = {
    "metric": "judged by {}", "without": "without `{}`", "grouped-by": "split by whole groups of `{}`",
    "in-time-by": "split forward in time by `{}`", "not-grouped": "split without keeping `{}` together",
    "not-in-time": "split without regard to `{}`",
}
"""What is changed, around its subject: a metric or a column."""
NOTHING_TO_CHANGE = {"without": "without the most suspicious feature", "grouped-by": "split by whole groups",
                     "in-time-by": "split forward in time"}
"""The same where there is no such column."""


def change_phrase(change: Change) -> str:
    """What is changed.

    >>> change_phrase(Change("metric", "auc")), change_phrase(Change("without", "duration"))
    ('judged by AUC', 'without `duration`')
    """
    if not change.subject:
        return NOTHING_TO_CHANGE[change.kind]
    name = metric_words(change.subject) if change.kind == "metric" else change.subject
    return PHRASES[change.kind].format(name)


def what_if_sentence(found: WhatIf) -> str:
    """What came of a change; a size is named where it is not the headline's."""
    phrase, answer = change_phrase(found.change), found.answer
    title = phrase[0].upper() + phrase[1:]
    if answer is None:
        return f"{title}: not answered, since {_why_not(found)}."
    if found.suits_constants:
        return f"{title}, no approach can be chosen: a constant prediction is well calibrated, too."
    verdict = found.verdict or answer
    where = title if found.is_at_headline else f"At {verdict.size:,} rows, {phrase}"
    failed = f"; {found.failed:,} of its runs failed" if found.failed else ""
    return f"{where}, {compared(answer, verdict)}{failed}."


def _why_not(found: WhatIf) -> str:
    if found.unanswered is Unanswered.UNDEFINED:
        return "it is undefined in every test part"
    if found.unanswered is Unanswered.NO_VERDICT:
        return f"it was tried at {found.tried_at:,} rows, where the comparison has no verdict"
    return found.reason


def compared(answer: Answer, verdict: Answer) -> str:
    """The answer as a clause that says how it differs from the verdict.

    >>> from dataclasses import replace
    >>> wins = Answer(100, "winner", ("boosting",), "boosting", "boosting", ("dummy", "linear", "boosting"))
    >>> compared(wins, wins)
    'boosting wins as well'
    >>> compared(replace(wins, approaches=("linear",), best="linear", recommended="linear"), wins)
    'linear wins instead of boosting'
    >>> compared(replace(wins, decision="top_set", approaches=("boosting", "linear")), wins)
    'no single approach wins (boosting and linear are not separated)'
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
    how = "are practically equal" if answer.are_equal else "are not separated"
    return f"no single approach wins{either} ({listed(answer.approaches)} {how}){beaten}{left_out}"


def _winner(answer: Answer, verdict: Answer) -> str:
    if verdict.decision == "none":
        return f"{answer.best} wins"
    # Where families were not run, so that nothing is recommended, no approach wins by another metric either.
    wins = f"{answer.best} {'is ahead' if verdict.recommended is None else 'wins'}"
    if answer.best == verdict.foremost:
        return f"{wins} {'as well' if verdict.decision == 'winner' else 'alone'}"
    if verdict.decision == "winner":
        return f"{wins} instead of {verdict.best}"
    return wins + (f", so that {verdict.recommended} would not be recommended" if verdict.recommended in answer.ran else "")
