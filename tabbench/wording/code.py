"""The Python that repeats a part of a run: a call of `compare` with what the run was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def reproducing_call(name: str, own: str | None, arguments: Mapping[str, Any]) -> str:
    """Return the call of `compare` that gives an approach's row again; `own` is the source of an estimator of the user's own.

    >>> reproducing_call("linear", None, {"target": "price", "sizes": [96], "effort": 0.1})
    "tabbench.compare(data, 'price', approaches='linear', sizes=[96], effort=0.1)"
    >>> reproducing_call("mine", "Ridge()", {"target": "price", "cv": None})
    "tabbench.compare(data, 'price', approaches={'mine': Ridge()}, cv=splits)"
    """
    approaches = repr(name) if own is None else f"{{{name!r}: {' '.join(own.split())}}}"
    rest = {key: value for key, value in arguments.items() if key != "target"}
    words = [f"{key}={PLACEHOLDERS[key] if value is None else repr(value)}" for key, value in rest.items()]
    return f"tabbench.compare(data, {', '.join([repr(arguments['target']), f'approaches={approaches}', *words])})"


PLACEHOLDERS = {"cv": "splits", "test": "test"}
"""Names of what only the caller has."""
