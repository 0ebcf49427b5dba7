"""Several recipes of the guarded net, weighted by what is best on rows that none of them learnt from: the thorough preset."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from tabbench.boosting.objective import Objective
from tabbench.boosting.weights import choose_weights
from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadOption, TrainingFailed
from tabbench.core.finding import Incident


def fit_ensemble(training: TrainingSet, loss: Any, options: Any, plan: Any, portfolio: dict[str, dict[str, Any]]) -> Any:
    """Train every recipe of a portfolio (name -> settings) on the same folds and weight them by their held-out predictions."""
    from tabbench.nets.ensemble import NetEnsemble
    from tabbench.nets.model import fit_net

    if options.resume_from is not None and not options.resume_from.is_dir():
        raise BadOption(f"resume_from: there is no folder {options.resume_from}")
    fitted: dict[str, Any] = {}
    failed: dict[str, TrainingFailed] = {}
    for name, knobs in portfolio.items():
        try:
            fitted[name] = fit_net(replace(training, settings=_settings(training, knobs)), loss, _in_folder(options, name), plan)
        except TrainingFailed as error:  # one recipe that cannot be trained leaves the others
            failed[name] = error
        else:
            if fitted[name].record.is_interrupted or time.perf_counter() > options.deadline:
                break
    if not fitted:
        raise next(iter(failed.values()))
    models = list(fitted.values())
    held_out = [model.held_out for model in models if model.held_out is not None]
    rows = reduce(np.intersect1d, [each.rows for each in held_out])
    predictions = [each.predictions[np.searchsorted(each.rows, rows)] for each in held_out]
    weights = choose_weights(predictions, training.target[rows], None if training.weight is None else training.weight[rows],
                             Objective.of(training.task).loss)
    kept = [place for place, weight in enumerate(weights) if weight > 0]
    names = tuple(fitted)
    heaviest = models[int(np.argmax(weights))]
    tuned = {"recipes": {names[place]: round(weights[place], 4) for place in kept}, "weights": heaviest.tuned["weights"],
             "epochs": [epoch for place in kept for epoch in models[place].tuned["epochs"]]}
    return NetEnsemble(tuple(names[place] for place in kept), tuple(models[place] for place in kept),
                       tuple(weights[place] for place in kept), tuned, _record(names, models), _incidents(fitted | failed))


def _settings(training: TrainingSet, knobs: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**training.settings, **knobs}
    return settings | {"learning_rate": settings["learning_rate"] * settings.pop("rate_share", 1.0)}


def _incidents(sources: Mapping[str, Any]) -> tuple[Incident, ...]:
    """Return the incidents of all recipes, also of failed ones."""
    return tuple(replace(each, where=f"{name}, {each.where}") for name, source in sources.items() for each in source.incidents)


def _in_folder(options: Any, name: str) -> Any:
    """Return the options with a folder of checkpoints for one recipe."""
    return replace(options, checkpoint=options.checkpoint and options.checkpoint / name,
                   resume_from=_if_there(options.resume_from, name), identity=f"{options.identity} {name}")


def _if_there(folder: Any, name: str) -> Any:
    from tabbench.nets.checkpoint import has_checkpoint

    # A recipe that the interrupted training had not reached begins anew.
    return folder / name if folder is not None and has_checkpoint(folder / name) else None


def _record(names: Sequence[str], models: Sequence[Any]) -> Any:
    """Merge the records of the recipes; the history has a column of their names."""
    records = [model.record for model in models]
    history = [row | {"recipe": name} for name, each in zip(names, records, strict=True) for row in each.history]
    return replace(records[0], history=history, quarantined=tuple(sorted({row for each in records for row in each.quarantined})),
                   rollbacks=sum(each.rollbacks for each in records),
                   guard_overhead=float(np.mean([each.guard_overhead for each in records])),
                   validation_losses=[float(np.mean(each.validation_losses)) for each in records],
                   is_interrupted=any(each.is_interrupted for each in records),
                   kept_losses=[float(np.mean(each.kept_losses)) for each in records])
