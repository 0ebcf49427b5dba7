"""The closing sentence's part on what a time limit or an interruption has cost. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from tabbench.core.family import kinds
from tabbench.core.limits import Limited
from tabbench.core.phrases import listed, rough_duration
from tabbench.verdict.outcome import Headline, Missing

RESUME = "tabbench resume continues it"


def beginning(headline: Headline, limited: Limited | None) -> str:
    """What the sentence begins with where families are missing: which, why, and what it takes; it leads on to the outcome."""
    so = ", so nothing is recommended" if headline.is_withheld else ""
    why = f"{_none_was_run(headline.missing)}, as {_cause(limited)}{so}"
    if _is_interrupted(limited):
        return f"{why} ({RESUME}): "
    if limited is None or limited.seconds is None:
        return f"{why}: "
    takes = rough_duration(limited.seconds)
    return f"{why} (a recommendation takes {takes}): " if headline.is_withheld else f"{why} ({takes} would do): "


def cost_clauses(limited: Limited | None, *, is_lift_told: bool) -> list[str]:
    """What was given up, and what would bring it unless the sentence's beginning has told so."""
    if limited is None or not limited.given_up:
        return []
    what = listed(limited.given_up)
    lift = RESUME if limited.is_interrupted else None if limited.seconds is None else (
        f"{rough_duration(limited.seconds)} would be enough")
    cost = f"the run was interrupted before it reached {what}" if limited.is_interrupted else (
        f"the time limit {'also ' if is_lift_told else ''}cost {what}")
    if lift is None or is_lift_told:
        return [cost]
    return [cost, lift] if what.endswith(")") else [f"{cost} ({lift})"]


def named_in(limited: Limited | None, missing: Mapping[str, Sequence[str]]) -> Collection[str]:
    """The approaches that `beginning` or `cost_clauses` name."""
    phrases = () if limited is None else limited.given_up
    return {*(name for names in missing.values() for name in names),
            *(name for phrase in phrases for name in re.split(r",? and |, ", phrase))}


def unjudged_sentence(limited: Limited | None) -> str:
    """The sentence where no approach was finished at any size."""
    nothing = "No approach was finished at any size, so there is no verdict yet"
    if _is_interrupted(limited):
        return f"{nothing}: the run was interrupted, and {RESUME}."
    if limited is None or limited.seconds is None:
        return f"{nothing}: continue the run, with more time if it had a limit."
    return f"{nothing}: continue the run with a time limit of {rough_duration(limited.seconds)}, which would give one."


def _none_was_run(missing: Missing) -> str:
    families = [family for name, family in kinds().items() if name in missing.approaches]
    # Where the sizes that were run have no family in common, one that is missing here was run on fewer rows.
    verb = f"{'were' if families[-1].is_plural else 'was'} run{' on so many rows' if missing.are_run_below else ''}"
    if len(families) == 1:
        return f"No {families[0].kind} {verb}"
    return f"Neither {' nor '.join(family.one for family in families)} {verb}"


def _cause(limited: Limited | None) -> str:
    return "the run was interrupted" if _is_interrupted(limited) else "the time limit was too short"


def _is_interrupted(limited: Limited | None) -> bool:
    return limited is not None and limited.is_interrupted
