"""The options of a suite's run: those of a call, else the suite's own; and what of them its definition keeps for `resume`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from tabbench.options import Options
from tabbench.suite.definition import OF_A_SUITE, Suite

EXCLUDING = (frozenset({"effort", "preset"}), frozenset({"use_folds", "repeats"}))
"""Options that say the same in two ways."""


def run_options(suite: Suite, given: Mapping[str, Any]) -> Options:
    """The options of a suite's run: those that are given, else the suite's own.

    Raises
    ------
    BadOption
        One of them is wrong.
    """
    values, own = {name: value for name, value in given.items() if value is not None}, dict(suite.options)
    for excluding in EXCLUDING:
        if values.keys() & excluding:  # one of them given replaces both of the suite's
            own = {name: value for name, value in own.items() if name not in excluding}
    options = Options(**own | values).checked()
    return options if options.out is not None else replace(options, out=f"tabbench-suite-{suite.name}")


def kept_options(options: Options) -> dict[str, Any]:
    """The options that a run's definition holds, as plain values; the user's own estimators can't be among them."""
    kept = {name: getattr(options, name) for name in OF_A_SUITE}
    defaults = {each.name: each.default for each in fields(Options)}
    if isinstance(kept["approaches"], Mapping):
        kept["approaches"] = [name for name, value in kept["approaches"].items() if value in (name, "default")]
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], defaults[name])}
