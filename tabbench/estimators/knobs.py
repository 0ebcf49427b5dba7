"""Checks the parameters of estimators; the message of an error names the values that are allowed."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tabbench.core.effort import POINTS
from tabbench.core.errors import BadOption
from tabbench.options import DEVICES, PRESETS, choice, effort_number

EVENTS = ("on_fit_start", "on_epoch_end", "on_incident", "on_fit_end")
"""Methods of a callback."""
MOST_GROWTH = 2.0
"""Of the learning rate of SGD with larger batches: how steep the loss is bounds it, however exact gradients are."""


def effort_of(preset: str, effort: float | None) -> float:
    """Return the effort, or that of the preset if none is given.

    >>> effort_of("balanced", None), effort_of("balanced", 0.25)
    (1.0, 0.25)
    """
    return POINTS[choice("preset", preset, PRESETS)] if effort is None else effort_number("effort", effort)


def loss_of(given: Any, default: Any, names: tuple[str, ...]) -> Any:
    """Return the loss for a name, a function or a mapping of such to weights; the default for None."""
    if given is None:
        return default
    if callable(given):
        return replace(default, own=given)
    if isinstance(given, Mapping):
        if not given or not all(callable(part) or part in names for part in given):
            raise BadOption(f"loss must hold {', '.join(names)} or functions, each with a weight, not {given!r}")
        parts = tuple((part, positive("the weight of a loss", required("the weight of a loss", weight)))
                      for part, weight in given.items())
        named_parts = [part for part in given if part in names]
        return replace(default, kind=named_parts[0] if named_parts else default.kind, parts=parts)
    return replace(default, kind=choice("loss", given, names))


def batches_of(given: int | str | None, settings: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return the rows of a batch and the preset's learning rate scaled to them; nothing for "auto"."""
    if given is None or (isinstance(given, str) and given == "auto"):
        return {}
    size = min(whole("batch_size", given, 1), rows)
    growth = size / settings["batch_rows"]
    factor = math.sqrt(growth) if settings["optimiser"] == "adam" else min(growth, MOST_GROWTH)
    return {"batch_rows": size, "learning_rate": settings["learning_rate"] * factor}


def named(name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """Check that a value is one of the allowed ones; None stays None, as in all functions below."""
    return None if value is None else choice(name, value, allowed)


def clip_of(value: float | str | None) -> float | str | None:
    """Check the maximum norm of a gradient, which may be "auto"."""
    return value if value is None or (isinstance(value, str) and value == "auto") else positive("clip", value)


def rate_of(given: float | str | None) -> float | None:
    """Return a learning rate; None for the preset's and for "search"."""
    if isinstance(given, str):
        if given != "search":
            raise BadOption(f"learning_rate must be a number, or 'search', not {given!r}")
        return None
    rate: float | None = positive("learning_rate", given)
    return rate


def callbacks_of(given: Any) -> tuple[Any, ...]:
    """Return a sequence of objects as a tuple."""
    if not isinstance(given, list | tuple):
        raise BadOption(f"callbacks must be a list or a tuple, not {given!r}")
    for each in given:
        if isinstance(each, type) or not any(callable(getattr(each, event, None)) for event in EVENTS):
            raise BadOption(f"callbacks must hold objects with any of the methods {', '.join(EVENTS)}, not {each!r}")
    return tuple(given)


def device_of(given: Any) -> str:
    """Return "cuda" where a device, given as a word or as torch's object, allows it and torch finds a GPU, else "cpu"."""
    if not isinstance(given, str) and hasattr(given, "type") and getattr(given, "index", None) in (None, 0):
        given = given.type
    wanted = choice("device", given, DEVICES)
    if wanted == "cpu":
        return "cpu"
    from tabbench.nets import is_cuda_available

    if is_cuda_available():
        return "cuda"
    if wanted == "cuda":
        raise BadOption("device is 'cuda' but torch finds no GPU; use 'auto' or 'cpu'")
    return "cpu"


def sizes_of(name: str, given: Any) -> list[int] | None:
    """Return one integer per layer."""
    if given is None:
        return None
    if not is_sequence(given) or not len(given):
        raise BadOption(f"{name} must hold one whole number a layer, at least one, not {given!r}")
    return [whole(name, size, 1) for size in given]


def is_sequence(given: Any) -> bool:
    """Return whether a value is a list, an array of one dimension or the like, and no text."""
    return not isinstance(given, str) and hasattr(given, "__len__") and getattr(given, "ndim", 1) == 1


def flag(name: str, given: Any) -> bool:
    """Return True or False."""
    if not isinstance(given, bool | np.bool_):
        raise BadOption(f"{name} must be True or False, not {given!r}")
    return bool(given)


def required(name: str, given: Any) -> Any:
    """Check that a value is not None."""
    if given is None:
        raise BadOption(f"{name} must be a number, not None")
    return given


def whole(name: str, value: Any, least: int) -> Any:
    """Check that a value is an integer of at least `least`."""
    if value is not None and (not isinstance(value, int | np.integer) or isinstance(value, bool)):
        raise BadOption(f"{name} must be a whole number of {least} or more, not {value!r}")
    return None if value is None else int(at_least(name, value, least))


def positive(name: str, value: Any) -> Any:
    """Check that a value is a finite number above zero."""
    return _checked(name, value, lambda number: number > 0, "greater than 0")


def at_least(name: str, value: Any, least: float) -> Any:
    """Check that a value is a finite number of at least `least`."""
    return _checked(name, value, lambda number: number >= least, f"{least:g} or more")


def between(name: str, value: Any, least: float, most: float) -> Any:
    """Check that a value is a finite number within bounds."""
    return _checked(name, value, lambda number: least <= number <= most, f"between {least:g} and {most:g}")


def _checked(name: str, value: Any, is_allowed: Any, wanted: str) -> Any:
    """Check a finite number and return it as a plain one; None stays None."""
    if value is None:
        return None
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not _is_finite(value) or not is_allowed(value):
        raise BadOption(f"{name} must be a number {wanted}, not {value!r}")
    return value.item() if isinstance(value, np.number) else value


def _is_finite(number: Any) -> bool:
    """A whole number beyond every float counts as infinite."""
    return abs(number) <= sys.float_info.max if isinstance(number, int) else bool(np.isfinite(number))


def some(name: str, given: Any, allowed: tuple[str | None, ...], *, takes_dicts: bool = False) -> tuple[Any, ...]:
    """Return the given values, each once.

    Raises
    ------
    BadOption
        The values are no sequence, there are none, or one is not allowed.
    """
    is_sequence = isinstance(given, Iterable) and not isinstance(given, str | Mapping)
    values = list(given) if is_sequence else []
    if not values or not all((takes_dicts and isinstance(value, Mapping)) or _is_one_of(value, allowed) for value in values):
        dicts = ", or dicts of labels and weights" if takes_dicts else ""
        raise BadOption(f"{name} must be a sequence of some of {', '.join(map(repr, allowed))}{dicts}, not {given!r}")
    return tuple(value for position, value in enumerate(values) if value not in values[:position])


def _is_one_of(value: Any, allowed: tuple[str | None, ...]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def numbers(name: str, given: Sequence[float], *, smallest: float = 0.0, largest: float = np.inf) -> tuple[float, ...]:
    """Return the given numbers, ascending, each once.

    Raises
    ------
    BadOption
        There are none, or one is outside the range.
    """
    try:
        values = np.unique(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.empty(0)
    if not len(values) or not np.isfinite(values).all() or values[0] < smallest or values[-1] > largest:
        span = "greater than 0" if smallest > 0 else f"between 0 and {largest:g}"
        raise BadOption(f"{name} must hold numbers {span}, not {given!r}")
    return tuple(values.tolist())
