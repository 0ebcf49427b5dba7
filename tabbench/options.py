"""The one declaration of options; the command and the function share it.

Parses and checks values; knows nothing of tables or runs, and of approaches only which take part where none is named.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, SupportsIndex

from tabbench.core.effort import LEAST_EFFORT, MOST_EFFORT, POINTS
from tabbench.core.errors import BadOption, OptionMention, names_instead
from tabbench.core.executor import EXECUTORS, LOCAL

if TYPE_CHECKING:
    from tabbench.core.approach import Approach

PRESETS = tuple(POINTS)
TASKS = ("auto", "binary", "multiclass", "regression")
DEVICES = ("auto", "cpu", "cuda")
COLUMN_KINDS = ("category", "number", "text", "date")

DEFAULT_EFFORT = 0.3
"""Chosen by measured gain, see docs/benchmarks.md."""

ALPHA = 0.05
"""The simultaneous error rate of each family of claims."""

SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30,
         "tib": 2**40}


def option(default: Any, help: str, *, is_pythons: bool = False) -> Any:
    """Declare an option: its default and the line that `--help` shows, unless it is for the function alone."""
    return field(default=default, metadata={"help": help, "is_pythons": is_pythons})


@dataclass(frozen=True)
class Options:
    """The options of a comparison. Field names are the option names, with `_` for `-`.

    Values may be given as typed on a command line or as Python values; `checked` gives the canonical form.
    """

    target: str | None = option(None, "Column to predict; without it one called target, label, y or class.")
    task: str = option("auto", "auto, binary, multiclass or regression.")
    metric: str | None = option(None, "Metric that decides: log_loss, auc, accuracy, rmse, mae, ... (log_loss; rmse).")
    approaches: str | Sequence[str] | Mapping[str, Any] | None = option(None, "Approaches, comma-separated (a list by --effort).")
    effort: str | float | None = option(None, "Effort, from 0.01 to 100: 0.1 is fast, 1 balanced, 6 thorough (0.3).")
    preset: str | None = option(None, "Effort by name: fast (0.1), balanced (1) or thorough (6).")
    sizes: str | Sequence[int | str] = option("auto", "auto, or training sizes and full, mixed: 500,1000,full.")
    folds: int = option(5, "Folds of the outer cross-validation.")
    repeats: int | None = option(None, "Repeats (3 up to 2,500 rows, 2 up to 10,000, else 1); with --test trainings (5 or 1).")
    use_folds: int | None = option(None, "Run only this many folds of one repeat: 1 is a single hold-out split (all).")
    skip: str | Sequence[str] | None = option(None, "Approaches not to run at a size, comma-separated: forest@400,mlp@2000.")
    fold: str | None = option(None, "Column that names each row's fold: your own splits.")
    test: Any = option(None, "Your own test file; all of DATA is then for training.")
    group: str | None = option(None, "Column of units that must not be split between training and test.")
    time: str | None = option(None, "Column that orders the rows; splits then go forward in time.")
    weight: str | None = option(None, "Column of row weights for training, metric and variance.")
    drop: str | Sequence[str] = option((), "Columns to leave out, comma-separated; may be repeated.")
    missing: str | Sequence[str | float] | None = option(None, "Codes for a missing value besides an empty cell: NA,-9,? "
                                                               "(found).")
    types: Mapping[str, str] | str | Sequence[str] | None = option(
        None, "What a column is, whatever it looks like: COLUMN=category, number, text or date; may be repeated.")
    merge_labels: bool = option(False, "Labels that differ only in case, blanks or a final full stop are one.")
    sheet: str | None = option(None, "Sheet of a workbook (the first that holds a table).")
    no_header: bool = option(False, "The first row is no header: columns are called column 1, column 2, ...")
    query: str | None = option(None, "SELECT statement that gives the table of a SQLite file.")
    margin: float | None = option(None, "Smallest difference that matters: fraction of the constant predictor's loss (0.01), "
                                        "absolute for accuracy (0.01) and auc (0.005).")
    seed: int = option(0, "Random seed.")
    time_limit: str | float | None = option(None, "Wall time from reading to report: 90, 90s, 10m, 1h.")
    memory_limit: str | float | None = option(None, "Memory of the whole process tree: 8GB, 500MB.")
    jobs: int | None = option(None, "Number of workers, one cell each (the number of cores).")
    device: str = option("auto", "auto, cpu or cuda, for approaches that can use a GPU.")
    calibrate: bool = option(False, "Calibrate own classifiers that give no probabilities, on inner folds.", is_pythons=True)
    executor: str = option(LOCAL, "Where cells run: local (worker processes), in-process, or one that a package adds.")
    out: Any = option(None, "Folder of the run.")
    fresh: bool = option(False, "Start over in a folder that holds a run.")
    save_winner: bool = option(False, "Refit the recommended approach on all rows and save it to OUT/winner.")
    race: bool = option(False, "Smallest sizes first, with early stopping for futility of approaches that are far behind.")
    extrapolate: bool = option(False, "Extrapolate the learning curves to 2 and 4 times as many rows.")
    what_if: bool = option(False, "Sensitivity analysis: without the most suspicious feature, with other splits; OUT/what-if.")
    quiet: bool = option(False, "No progress; errors only.")
    dry_run: bool = option(False, "Only print what would run, with its expected time and memory.")

    def checked(self) -> Options:
        """The same options in canonical form.

        Raises
        ------
        BadOption
            A value out of range or of the wrong form, or two options that exclude each other.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for each in fields(self):
            if values[each.name] is None and each.default is not None:
                raise _bad(each.name, f"must have a value, and None is none; leave it out for {each.default!r}")
        values |= {"task": choice("task", self.task, TASKS),
                   "effort": None if self.effort is None else effort_number("effort", self.effort),
                   "preset": None if self.preset is None else choice("preset", self.preset, PRESETS),
                   "device": choice("device", self.device, DEVICES),
                   "executor": EXECUTORS.get(self.executor).name,
                   "folds": whole("folds", self.folds, 2), "repeats": whole("repeats", self.repeats, 1),
                   "use_folds": whole("use_folds", self.use_folds, 1),
                   "jobs": whole("jobs", self.jobs, 1), "seed": whole("seed", self.seed, 0),
                   "margin": not_negative("margin", self.margin), "drop": tuple(names(self.drop)),
                   "missing": None if self.missing is None else tuple(names(self.missing)),
                   "types": column_kinds(self.types),
                   "sizes": size_words(self.sizes), "skip": tuple(pair_words(self.skip)),
                   **{role: None if getattr(self, role) is None else str(getattr(self, role))
                      for role in ("target", "metric", "fold", "group", "time", "weight", "sheet", "query")},
                   "time_limit": amount("time_limit", self.time_limit, SECONDS, "90, 90s, 10m or 1h"),
                   "memory_limit": amount("memory_limit", self.memory_limit, BYTES, "8GB or 500MB")}
        if not isinstance(self.approaches, Mapping | Iterable | None):
            raise _bad("approaches", f"must be names, or a dict of names and estimators, not {self.approaches!r}")
        if not isinstance(self.approaches, Mapping | None):
            values["approaches"] = tuple(names(self.approaches))
            if not values["approaches"]:
                raise _bad("approaches", "names none; leave it out for the usual list, or name some: linear,boosting")
        checked = Options(**values)
        checked._refuse_contradictions()
        most_jobs = EXECUTORS.get(checked.executor).most_jobs
        return checked if most_jobs is None else replace(checked, jobs=most_jobs)

    @property
    def work(self) -> float:
        """The effort that applies: the one given, the preset's, or the default."""
        return work_of(self.effort, self.preset)

    @property
    def skipped_pairs(self) -> tuple[tuple[str, int], ...]:
        """(approach, size) of what is not to be run, of checked options."""
        pairs = (word.rpartition("@") for word in names(self.skip))
        return tuple((name, int(size)) for name, _, size in pairs)

    @property
    def limit_seconds(self) -> float | None:
        """The time limit of checked options."""
        return amount("time_limit", self.time_limit, SECONDS, "90s")

    @property
    def limit_bytes(self) -> float | None:
        """The memory limit of checked options."""
        return amount("memory_limit", self.memory_limit, BYTES, "8GB")

    def _refuse_contradictions(self) -> None:
        if self.effort is not None and self.preset is not None:
            raise _both("effort", "preset", "say how much work to do")
        if self.use_folds is not None and self.repeats not in (None, 1):
            raise BadOption.about(OptionMention("use_folds", self.use_folds), " is of one repeat and does not go with ",
                                  OptionMention("repeats", self.repeats), "; leave one of them out")
        self._refuse_what_the_executor_cannot()
        own = [name for name in ("fold", "test") if getattr(self, name) is not None]
        if len(own) == 2:
            raise _both("fold", "test", "say how to split")
        if own == ["fold"] and self.repeats not in (None, 1):
            raise BadOption.about(OptionMention("repeats", self.repeats), " does not go with ", OptionMention("fold"),
                                  ": your own splits are used once; leave ", OptionMention("repeats"), " out")

    def _refuse_what_the_executor_cannot(self) -> None:
        kind = EXECUTORS.get(self.executor)
        beyond = [] if kind.keeps_limits else [name for name in ("time_limit", "memory_limit") if getattr(self, name) is not None]
        if kind.most_jobs is not None and (self.jobs or 1) > kind.most_jobs:
            beyond.append("jobs")
        if beyond:
            raise BadOption.about(OptionMention(beyond[0]), " does not go with ", OptionMention("executor", self.executor),
                                  f" ({kind.summary}); leave one of them out")


def default_approaches(effort: float) -> tuple[str, ...]:
    """What is compared when nothing is named: the approaches that say so where they are registered.

    >>> [len(default_approaches(effort)) for effort in (0.1, 0.2, 0.5, 3.0)]
    [8, 8, 10, 11]
    """
    from tabbench.approaches import composed

    return composed.default_approaches(effort)


def listed_approaches() -> list[Approach]:
    """The approaches that are listed: registered ones and the usual ones that are joined by `+`."""
    from tabbench.approaches import composed

    return composed.listed_approaches()


def work_of(effort: str | float | None, preset: str | None) -> float:
    """The effort that two options give, one of them None: the number, the preset's, or the default.

    >>> work_of(None, "balanced"), work_of(0.25, None), work_of(None, None)
    (1.0, 0.25, 0.3)
    """
    if effort is not None:
        return effort_number("effort", effort)
    return DEFAULT_EFFORT if preset is None else POINTS[choice("preset", preset, PRESETS)]


def effort_number(name: str, value: Any) -> float:
    """An effort as a number within its bounds.

    >>> effort_number("effort", "0.25")
    0.25
    """
    if isinstance(value, str) and value.lower() in PRESETS:
        raise BadOption.about(OptionMention(name), f" must be a number, of which {value.lower()} is {POINTS[value.lower()]:g}; "
                              "or say ", OptionMention("preset", value.lower()))
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not LEAST_EFFORT <= number <= MOST_EFFORT:
        raise _bad(name, f"must be a number from {LEAST_EFFORT:g} to {MOST_EFFORT:g}, not {value!r}")
    return number


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of a few words.

    >>> choice("preset", "Fast", PRESETS)
    'fast'
    """
    if isinstance(value, str) and value.lower() in allowed:
        return value.lower()
    raise _bad(name, f"has no value {str(value)!r}; {names_instead(str(value), allowed)}")


def whole(name: str, value: Any, least: int) -> int | None:
    """A whole number of at least `least`; None stays None."""
    if value is None:
        return None
    try:
        number = int(value)
        is_whole = not isinstance(value, bool) and float(value) == number
    except (TypeError, ValueError, OverflowError):
        is_whole, number = False, least
    if not is_whole or number < least:
        raise _bad(name, f"must be a whole number of at least {least}, not {value!r}")
    return number


def not_negative(name: str, value: Any) -> float | None:
    """A finite number of at least zero; None stays None."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise _bad(name, f"must be a number of at least 0, not {value!r}")
    return number


def amount(name: str, value: Any, units: Mapping[str, float], example: str) -> float | None:
    """A positive amount with a unit; text needs one where `units` has none for "", a Python number is in the smallest.

    >>> amount("time_limit", "10m", SECONDS, "")
    600.0
    >>> amount("memory_limit", "1.5 GB", BYTES, "")
    1500000000.0
    """
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", str(value).lower())
    if match and float(match[1]) > 0:
        if match[2] in units:
            return float(match[1]) * units[match[2]]
        if not match[2] and not isinstance(value, str):
            return float(value)
        if not match[2]:
            raise BadOption.about(OptionMention(name, value), f" has no unit; say {example}")
    raise _bad(name, f"must be a positive amount such as {example}, not {value!r}")


def _bad(name: str, problem: str) -> BadOption:
    return BadOption.about(OptionMention(name), f" {problem}")


def _both(first: str, second: str, what: str) -> BadOption:
    return BadOption.about(OptionMention(first), " and ", OptionMention(second), f" both {what}; give one of them")


def names(value: str | Sequence[str | float] | None) -> list[str]:
    """Comma-separated names, or a sequence of names, each once and in order. A name with a comma stands in double quotes.

    >>> names('a, b,a,"price, EUR"'), names(["a,b", "c"])
    (['a', 'b', 'price, EUR'], ['a,b', 'c'])
    """
    if isinstance(value, str):
        found = next(csv.reader([value], skipinitialspace=True), [])
    else:
        found = [str(name) for name in value or ()]
    return list(dict.fromkeys(name.strip() for name in found if name.strip()))


def pair_words(value: str | Sequence[str] | None) -> list[str]:
    """Approaches at sizes, as approach@size.

    >>> pair_words("forest@400, linear+pca@2000")
    ['forest@400', 'linear+pca@2000']
    """
    words = names(value)
    for word in words:
        name, _, size = word.rpartition("@")
        if not name or not size.isascii() or not size.isdigit():
            raise _bad("skip", f"takes approaches at sizes, as forest@400, not {word!r}")
    return words


def column_kinds(value: Mapping[str, str] | str | Sequence[str] | None) -> dict[str, str] | None:
    """Column -> kind, from a mapping or from words as typed; None for none.

    >>> column_kinds(["store=category", "a=b=Date"]), column_kinds({})
    ({'store': 'category', 'a=b': 'date'}, None)
    """
    if isinstance(value, Mapping):
        pairs = [(str(name), kind) for name, kind in value.items()]
    else:
        words = [value] if isinstance(value, str) else list(value or ())
        pairs = [(name, kind) for word in words for name, _, kind in [str(word).rpartition("=")]]
    wrong = next((kind for name, kind in pairs if not name or str(kind).lower() not in COLUMN_KINDS), None)
    if wrong is not None:
        raise _bad("types", f"takes a column and what it is, {', '.join(COLUMN_KINDS)}, as COLUMN=category, not {wrong!r}")
    return {name: str(kind).lower() for name, kind in pairs} or None


def size_words(value: str | int | Sequence[int | str]) -> str | list[int | str]:
    """Sizes as plain values, whatever kind of integers they are.

    >>> size_words((100, "full"))
    [100, 'full']
    """
    if isinstance(value, str):
        return value
    words = [value] if isinstance(value, SupportsIndex) else list(value)
    return [each.__index__() if isinstance(each, SupportsIndex) else str(each) for each in words]


READING = ("drop", "missing", "types", "merge_labels", "sheet", "no_header", "query", "calibrate")
"""Options that say what the approaches are given."""


def reading_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the options that say what the approaches are given and that are not the default.

    >>> reading_options({"drop": ("id",), "missing": None, "seed": 3})
    {'drop': ['id']}
    """
    given = {name: values[name] for name in READING if values.get(name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
