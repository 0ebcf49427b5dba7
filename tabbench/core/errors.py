"""The errors of tabbench. A `UserMistake` is one finished sentence: what, where, cure.

Knows nothing of commands: `cli.py` decides how an error is shown and which exit code it gets.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tabbench.core.finding import Incident

__all__ = ["BadData", "BadOption", "MissingExtra", "TabbenchError", "UnknownName", "UserMistake"]


class TabbenchError(Exception):
    """Base of every error that tabbench raises itself; `incidents` are what a guard saw before it gave up."""

    incidents: tuple[Incident, ...] = ()


class UserMistake(TabbenchError):
    """Something that the user can cure; shown as one sentence without a traceback."""


class BadData(UserMistake, ValueError):
    """The data cannot be used as they are."""


class BadOption(UserMistake, ValueError):
    """An option's value cannot be used, or two options exclude each other."""


class MissingExtra(UserMistake, ImportError):
    """A package that is needed for what was asked is not installed or does not load."""


class UnknownName(UserMistake, KeyError):
    """A name that is not registered or not in the table; the message names near ones."""

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], cure: str = "") -> UnknownName:
        """Build the error for `name`, suggesting the nearest of `known`.

        >>> str(UnknownName.among("approach", "bosting", ["boosting", "linear"]))
        "no approach 'bosting'; did you mean 'boosting'?"
        >>> str(UnknownName.among("approach", "q", ["boosting", "linear"]))
        "no approach 'q'; there are: boosting, linear"
        """
        names = list(known)
        folded = {each.casefold(): each for each in names}
        near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
        if near:
            hint = "did you mean " + " or ".join(repr(folded[each]) for each in near) + "?"
        elif len(names) > MOST_NAMES_LISTED:
            hint = f"there are: {', '.join(names[:MOST_NAMES_LISTED])} and {len(names) - MOST_NAMES_LISTED} more"
        else:
            hint = "there are: " + ", ".join(names)
        return cls(f"no {kind} {name!r}; {hint}{cure}")


MOST_NAMES_LISTED = 30
"""A list longer than this hides the sentence that it belongs to."""


class TrainingFailed(TabbenchError):
    """No net could be trained; `incidents` say what was seen and tried."""

    def __init__(self, message: str, incidents: tuple[Incident, ...] = ()) -> None:
        super().__init__(message)
        self.incidents = incidents
