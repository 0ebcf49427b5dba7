"""The errors of tabbench. A `UserMistake` is one finished sentence: what, where, cure.

A sentence about options knows which of its words are their names, since a program and a command spell them differently. How an
error is shown, and which exit code it gets, is decided in `commands/common.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tabbench.core.finding import Incident

__all__ = ["BadData", "BadOption", "MissingExtra", "OptionMention", "TabbenchError", "TrainingWarning", "UnknownName",
           "UserMistake"]

FLAGS = {"types": "--type"}
"""Options that a command takes one at a time, a program all at once."""


@dataclass(frozen=True)
class OptionMention:
    """An option in a sentence, with the value that is or would be given: `folds=3` in a program, `--folds 3` in a command.

    >>> print(OptionMention("use_folds"), OptionMention("preset", "fast"), sep=", ")
    use_folds, preset='fast'
    >>> print(OptionMention("use_folds").typed, OptionMention("preset", "fast").typed, sep=", ")
    --use-folds, --preset fast
    >>> print(OptionMention("types", {"store": "category"}).typed)
    --type store=category
    """

    name: str
    value: object = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value!r}"

    @property
    def typed(self) -> str:
        """The option as typed on the command line."""
        flag = FLAGS.get(self.name, "--" + self.name.replace("_", "-"))
        if isinstance(self.value, Mapping):
            return " ".join(f"{flag} {key}={value}" for key, value in self.value.items())
        return flag if self.value is None else f"{flag} {self.value}"


_TYPED = re.compile(
    r"(?P<command>`tabbench [^`]*`|tabbench [a-z]+ [^;,.)]*)"
    r"|--type (?P<quote>'?)(?P<column>\S.*?)=(?P<kind>number|category|text|date)(?P=quote)"
    r"|--(?P<many>approaches|skip) (?P<names>[^\s;)]+)"
    r"|--(?P<name>[a-z]+(?:-[a-z]+)*)(?: (?:(?P<number>\d[\d.,]*(?<![.,]))|(?P<word>binary|multiclass|regression|cpu|cuda)\b))?")
"""A command as a whole, which stays, or an option as typed, with its value where that can be told from the words after it."""


def as_in_program(sentence: str) -> str:
    """Return a sentence with the options in it spelled as in a program.

    >>> as_in_program("--folds 3 does not work; choose fewer --use-folds, or use `tabbench resume --jobs 2`")
    'folds=3 does not work; choose fewer use_folds, or use `tabbench resume --jobs 2`'
    >>> as_in_program("plan: --effort 0.1 --sizes 62,125 --approaches dummy,linear (8 cells)")
    "plan: effort=0.1 sizes=[62, 125] approaches='dummy,linear' (8 cells)"
    >>> as_in_program("if they are classes, use --task multiclass, or --type 'a code=category'")
    "if they are classes, use task='multiclass', or types={'a code': 'category'}"
    """
    return _TYPED.sub(_spelled, sentence)


def _spelled(found: re.Match[str]) -> str:
    if found["command"]:
        return found["command"]
    if found["column"]:
        return f"types={{{found['column']!r}: {found['kind']!r}}}"
    if found["many"]:
        return f"{found['many']}={found['names']!r}"
    name, number = found["name"].replace("-", "_"), found["number"]
    if found["word"]:
        return f"{name}={found['word']!r}"
    value = number and (f"[{number.replace(',', ', ')}]" if name == "sizes" and "," in number else number)
    return f"{name}={value}" if value else name


class TabbenchError(Exception):
    """Base of every error that tabbench raises itself; `incidents` are what a guard saw before it gave up."""

    incidents: tuple[Incident, ...] = ()

    @property
    def typed(self) -> str:
        """The sentence as the command line shows it."""
        return str(self)


class UserMistake(TabbenchError):
    """An error that the user can correct; shown as one sentence without a traceback."""

    parts: tuple[str | OptionMention, ...] = ()

    def __str__(self) -> str:
        return str(self.args[0]) if self.parts else as_in_program(str(self.args[0]) if self.args else "")

    @classmethod
    def about(cls, *parts: str | OptionMention) -> Self:
        """Build the error from words and the options among them.

        >>> error = BadOption.about(OptionMention("time_limit"), " must be positive")
        >>> str(error), error.typed
        ('time_limit must be positive', '--time-limit must be positive')
        """
        error = cls("".join(map(str, parts)))
        error.parts = parts
        return error

    @property
    def typed(self) -> str:
        """The sentence with options as typed on the command line."""
        return "".join(part if isinstance(part, str) else part.typed for part in self.parts) or "".join(
            map(str, self.args[:1]))


class BadData(UserMistake, ValueError):
    """The data cannot be used as they are."""


class BadOption(UserMistake, ValueError):
    """An option's value cannot be used, or two options exclude each other."""


class MissingExtra(UserMistake, ImportError):
    """A package that is needed for what was asked is not installed or does not load."""


class UnknownName(UserMistake, KeyError):
    """A name that is not registered or not in the table; the message suggests similar ones."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], cure: str = "") -> UnknownName:
        """Build the error for `name`, suggesting the most similar of `known`.

        >>> str(UnknownName.among("approach", "bosting", ["boosting", "linear"]))
        "no approach 'bosting'; did you mean 'boosting'?"
        >>> str(UnknownName.among("approach", "q", ["boosting", "linear"]))
        "no approach 'q'; there are: boosting, linear"
        """
        return cls(f"no {kind} {name!r}; {names_instead(name, list(known))}{cure}")


MOST_NAMES_LISTED = 30
"""A list longer than this hides the sentence that it belongs to."""


def names_instead(name: str, known: Sequence[str]) -> str:
    """Return the most similar known names as a question, or list all of them.

    >>> names_instead("fasst", ["fast", "thorough"]), names_instead("q", ["fast", "thorough"])
    ("did you mean 'fast'?", 'there are: fast, thorough')
    """
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(folded[each]) for each in near) + "?"
    more = f" and {len(known) - MOST_NAMES_LISTED} more" if len(known) > MOST_NAMES_LISTED else ""
    return f"there are: {', '.join(known[:MOST_NAMES_LISTED])}{more}"


class TrainingWarning(UserWarning):
    """A training ended, but its incidents make the result doubtful; docs/guards.md explains the code at its start."""


class TrainingFailed(TabbenchError):
    """No net could be trained; `incidents` say what was seen and tried."""

    def __init__(self, message: str, incidents: tuple[Incident, ...] = ()) -> None:
        super().__init__(message)
        self.incidents = incidents
