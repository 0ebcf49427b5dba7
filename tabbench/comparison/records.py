"""The frames of a comparison that say how its cells went: costs, what was chosen, how nets were trained, failures, incidents.

`details` are the headers of the results by their places. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabbench.comparison.run import Entry, Place, Run
from tabbench.core.comparison import COLUMNS
from tabbench.core.setup import Setup
from tabbench.wording.code import reproducing_call

RECORDS = frozenset({"training", "weights", "nets", "share_losses", "selected"})
"""What approaches tell of their tuning that was not chosen."""

BY_CALLER: dict[str, dict[str, None]] = {"given": {"cv": None}, "test": {"test": None}, "fold": {}}
"""Kinds of splits that were not drawn -> the argument that they came by, beside the roles of columns."""


def costs(details: dict[Place, dict[str, Any]], setup: Setup) -> pd.DataFrame:
    """Seconds to fit, microseconds to predict a row and megabytes, by approach and size."""
    rows = []
    for (approach, size), places in _by_pair(details).items():
        fit = [details[place]["fit_seconds"] for place in places if details[place]["fit_seconds"] is not None]
        predict = [details[place]["predict_seconds"] * 1e6 / len(setup.splits.splits[place[2]].test)
                   for place in places if details[place]["predict_seconds"] is not None]
        own = [details[place].get("costs") or {} for place in places]  # what older runs don't have
        many, one, grown = ([each[name] for each in own if name in each] for name in ("large_us", "one_row_us", "grown_mb"))
        rows.append({"approach": approach, "size": size, "fit_seconds": float(np.mean(fit)) if fit else None,
                     "predict_us_per_row": float(np.mean(many or predict)) if many or predict else None,
                     "peak_mb": max(grown, default=None), "one_row_us": float(np.mean(one)) if one else None})
    return frame("costs", rows)


def floor(details: dict[Place, dict[str, Any]]) -> dict[str, float]:
    """Megabytes of a worker before its first fit: the interpreter, the libraries and the table."""
    known = [costs["floor_mb"] for each in details.values() if "floor_mb" in (costs := each.get("costs") or {})]
    return {"floor_mb": min(known)} if known else {}


def choices(details: dict[Place, dict[str, Any]]) -> dict[tuple[str, int], list[list[str] | None]]:
    """The features that each split of an approach with a selector kept; cells that failed chose none."""
    choices: dict[tuple[str, int], list[list[str] | None]] = {}
    for place, header in sorted(details.items()):
        if "selected" in header["tuned"]:
            choices.setdefault(place[:2], []).append(header["tuned"]["selected"])
    return choices


def training(run: Run, details: dict[Place, dict[str, Any]]) -> pd.DataFrame:
    """How the nets of one fit of each approach were trained: at its largest size, in the first split that did not fail."""
    found: dict[str, Place] = {}
    for place in sorted(details, key=lambda place: (-place[1], place[2])):
        if _of_nets(details[place]["tuned"]):
            found.setdefault(place[0], place)
    rows = []
    for place in (found[entry.name] for entry in run.entries if entry.name in found):
        tuned = _of_nets(details[place]["tuned"])
        rows.append(_where(place, run.setup) | {"nets": tuned["nets"], "best_epochs": tuned["epochs"],
                                                "curves": tuned["training"], "layers": tuned["weights"]})
    return frame("training", rows)


def tuned(run: Run, details: dict[Place, dict[str, Any]], headline: int) -> pd.DataFrame:
    """What every fit at the headline size chose, and the code that gives it again."""
    codes = {entry.name: _code(run, entry, headline) for entry in run.entries}
    return frame("tuned", [
        _where(place, run.setup) | {"tuned": _without_curves(details[place]["tuned"]), "code": codes[place[0]]}
        for place in sorted(details, key=lambda place: (list(codes).index(place[0]), place[2])) if place[1] == headline])


def _without_curves(tuned: Any) -> Any:
    """What was chosen, without the records of how, which have places of their own."""
    if not isinstance(tuned, dict):
        return tuned
    return {name: _without_curves(value) for name, value in tuned.items() if name not in RECORDS}


def _code(run: Run, entry: Entry, size: int) -> str:
    splits, table = run.setup.splits, run.setup.table
    drawn = BY_CALLER.get(splits.kind, {"folds": splits.folds, "repeats": splits.repeats})
    given = {"margin": run.margin} if run.margin is not None else {}
    arguments = {"target": table.target_name, "sizes": [size], "effort": run.effort, **drawn, **table.roles,
                 "task": run.setup.task.kind, "metric": run.setup.task.metric, "seed": run.setup.seed, **given, **run.reading}
    return reproducing_call(entry.name, entry.settings.get("parameters") if entry.family == "own" else None, arguments)


def _of_nets(tuned: Any) -> dict[str, Any]:
    """What nets told of their training, in the approach itself or in the learner behind a selector; empty for all others."""
    while isinstance(tuned, dict) and "learner" in tuned:
        tuned = tuned["learner"]
    return tuned if isinstance(tuned, dict) and tuned.keys() >= {"nets", "epochs", "training", "weights"} else {}


def failures(details: dict[Place, dict[str, Any]], setup: Setup) -> pd.DataFrame:
    """Cells that gave no predictions, with their reasons."""
    return frame("failures", [
        _where(place, setup) | {"status": header["status"], "reason": header["reason"]}
        for place, header in sorted(details.items()) if header["status"] != "ok"])


def incidents(details: dict[Place, dict[str, Any]], setup: Setup) -> pd.DataFrame:
    """What went wrong in training, fit by fit."""
    return frame("incidents", [_where(place, setup) | incident
                                for place, header in sorted(details.items()) for incident in header["incidents"]])


def _where(place: Place, setup: Setup) -> dict[str, Any]:
    approach, size, index = place
    split = setup.splits.splits[index]
    return {"approach": approach, "size": size, "repeat": split.repeat, "fold": split.fold}


def _by_pair(details: dict[Place, dict[str, Any]]) -> dict[tuple[str, int], list[Place]]:
    pairs: dict[tuple[str, int], list[Place]] = {}
    for place in sorted(details, key=lambda place: (place[1], place[0], place[2])):
        pairs.setdefault(place[:2], []).append(place)
    return pairs


def frame(name: str, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A frame with the columns of this name of a comparison."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS[name]))
