"""Checks what a user turned a knob to; a wrong value is answered by the ones that are right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tabbench.core.errors import BadOption
from tabbench.options import choice


def loss_of(given: Any, default: Any, names: tuple[str, ...]) -> Any:
    """The default loss, or one of these names, a function, or a mapping of such to weights."""
    if given is None:
        return default
    if callable(given):
        return replace(default, own=given)
    if isinstance(given, Mapping):
        if not given or not all(callable(part) or part in names for part in given):
            raise BadOption(f"loss must hold {', '.join(names)} or functions, each with a weight, not {given!r}")
        return replace(default, parts=tuple((part, float(weight)) for part, weight in given.items()))
    return replace(default, kind=choice("loss", given, names))


def batches_of(given: int | str, settings: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Rows of a batch, and the preset's rate scaled to them."""
    if given == "auto":
        return {}
    size = min(at_least("batch_size", given, 1), rows)
    growth = size / settings["batch_rows"]
    power = 0.5 if settings["optimiser"] == "adam" else 1.0
    return {"batch_rows": size, "learning_rate": settings["learning_rate"] * math.pow(growth, power)}


def named(name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """One of the allowed values; None stays None, as in all that follow."""
    return None if value is None else choice(name, value, allowed)


def clip_of(value: float | str | None) -> float | str | None:
    """The largest norm of a gradient, or 'auto'."""
    return value if value is None or value == "auto" else positive("clip", value)


def positive(name: str, value: Any) -> Any:
    """A finite number above zero."""
    return _checked(name, value, lambda number: number > 0, "greater than 0")


def at_least(name: str, value: Any, least: float) -> Any:
    """A finite number that is not too small."""
    return _checked(name, value, lambda number: number >= least, f"{least:g} or more")


def between(name: str, value: Any, least: float, most: float) -> Any:
    """A finite number within bounds."""
    return _checked(name, value, lambda number: least <= number <= most, f"between {least:g} and {most:g}")


def _checked(name: str, value: Any, is_allowed: Any, wanted: str) -> Any:
    """A finite number, as it is; None stays None."""
    if value is None:
        return None
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not is_allowed(value):
        raise BadOption(f"{name} must be a number {wanted}, not {value!r}")
    return value
