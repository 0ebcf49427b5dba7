"""Trials before a training: can a net overfit a small batch, which rows have no loss, which learning rate suits.

Each gives plain values; nothing of the later training depends on them but the rate that was searched for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import TrainingFailed
from tabbench.nets.diagnosis import first_operation, unsound_blockwise
from tabbench.nets.loss import Loss
from tabbench.nets.model import NO_PLAN, PreparedTraining, folds_of, torch_with
from tabbench.nets.plan import TrainingPlan
from tabbench.nets.rates import DECADES, REFINED_BY, TriedRates, chosen_rate, mean_last_losses, range_test
from tabbench.nets.training_options import TrainingOptions

STAGES = (32, 256, 2048)
"""Sizes of the batches that a net has to overfit before it is given all rows."""
STEPS_BY_HEART, LEARNT_BY_HEART, PARTLY_LEARNT = 300, 0.05, 0.7
"""Of 32 rows nearly nothing of the loss may be left; with more rows than weights remember it must clearly fall."""
PLAIN = {"dropouts": [0.0], "weight_decay": 0.0, "l1": 0.0, "l2": 0.0, "mixup": 0.0, "noise": 0.0, "label_smoothing": 0.0,
         "schedule": "cosine", "patience": None, "keeps_best": False, "repeats": 1}


def find_rate(training: TrainingSet, loss: Loss | None, options: TrainingOptions,
              plan: TrainingPlan = NO_PLAN) -> TriedRates:
    """The best of all decades, refined once by a factor of three to both sides.

    Raises
    ------
    TrainingFailed
        All of them diverged.
    """
    fit, valid = folds_of(training)[0]
    with torch_with(training.threads):
        prepared = PreparedTraining.of(training, loss, plan)
        tried = _tried(prepared, fit, valid, options, list(DECADES))
        if not np.isfinite(tried.losses).any():
            raise TrainingFailed(f"no learning rate from {max(DECADES):g} to {min(DECADES):g} trains; call `sanity_check`")
        if tried.best is None:  # nothing to learn, or not in so few steps
            return replace(tried, best=options.safe_rate)
        finer = _tried(prepared, fit, valid, options, [tried.best / REFINED_BY, tried.best * REFINED_BY])
    rates, losses = np.array(tried.rates + finer.rates), np.array(tried.losses + finer.losses)
    order = np.argsort(rates)[::-1]
    return _chosen(rates[order].tolist(), losses[order].tolist(), tried.constant, options)


def _tried(prepared: PreparedTraining, fit: np.ndarray, valid: np.ndarray, options: TrainingOptions,
           rates: list[float]) -> TriedRates:
    run = prepared.begin([(fit, valid)] * len(rates), options, schedule="constant", dropouts=[0.0])
    run.recovery.audit()
    run.state.judge_start()
    values = run.state.members.values
    values.copy_(values[:1].expand_as(values).clone())
    return _chosen(rates, mean_last_losses(run, rates), run.state.constant_losses[0], options)


def _chosen(rates: list[float], losses: list[float], constant: float, options: TrainingOptions) -> TriedRates:
    return TriedRates(rates, losses, constant, chosen_rate(rates, losses, constant, options.safe_rate))


def test_range(training: TrainingSet, loss: Loss | None, options: TrainingOptions,
               plan: TrainingPlan = NO_PLAN) -> tuple[np.ndarray, np.ndarray]:
    """Rates and smoothed losses of one net while the rate rises."""
    with torch_with(training.threads):
        prepared = PreparedTraining.of(training, loss, plan)
        run = prepared.begin(folds_of(training)[:1], options, schedule="constant", dropouts=[0.0])
        run.recovery.audit()
        return range_test(run)


def learn_by_heart(training: TrainingSet, loss: Loss | None, options: TrainingOptions,
                   plan: TrainingPlan = NO_PLAN) -> list[dict[str, Any]]:
    """Train one net without any regularisation on one row, on 32, 256, 2,048 and all rows: a record a stage, until one fails."""
    with torch_with(training.threads):
        prepared = PreparedTraining.of(training, loss, plan)
        order = np.random.default_rng(training.shared_seed).permutation(len(training))
        sizes = [size for size in STAGES if size < len(training)] + [len(training)]
        stages = [("one row, repeated", np.repeat(order[:1], STAGES[0]))] + [(f"{size} rows", order[:size]) for size in sizes]
        records: list[dict[str, Any]] = []
        for name, rows in stages:
            records.append(_stage(prepared, name, rows, options))
            if not records[-1]["is_learnt"]:
                break
    return records


def _stage(prepared: PreparedTraining, name: str, rows: np.ndarray, options: TrainingOptions,
           plan: TrainingPlan = NO_PLAN) -> dict[str, Any]:
    batch_rows = min(len(rows), prepared.training.settings["batch_rows"])
    epochs = max(1, STEPS_BY_HEART * batch_rows // len(rows))
    run = prepared.begin([(rows, rows)], options, **PLAIN, epochs=epochs, batch_rows=batch_rows)
    run.begin()
    start = run.state.constant_losses[0]
    try:
        end = run.finish().losses[0]
    except TrainingFailed:
        end = float("nan")
    limit = LEARNT_BY_HEART if len(rows) <= STAGES[0] else PARTLY_LEARNT if len(rows) <= STAGES[1] else 1.0
    return {"stage": name, "rows": len(rows), "steps": epochs * run.state.batches, "loss_at_start": start, "loss_at_end": end,
            "is_learnt": bool(end < max(limit * start, 1e-6))}


def find_unsound(training: TrainingSet, loss: Loss | None, options: TrainingOptions,
                 plan: TrainingPlan = NO_PLAN) -> tuple[list[int], str]:
    """Rows whose loss or gradient is not finite whatever the weights, and the operation where it shows first."""
    with torch_with(training.threads):
        run = PreparedTraining.of(training, loss, plan).begin([(np.arange(len(training)),) * 2], options)
        losses, states = run.state.validation.row_losses(0), run.recovery.sound_weights(0)
        dirty = set(range(len(training)))
        for weights in states:
            dirty = unsound_blockwise(losses, torch.tensor(sorted(dirty), device=run.state.members.values.device), weights)
            if not dirty:
                break
        if not dirty:
            return [], ""
        some = torch.tensor(sorted(dirty), device=run.state.members.values.device)
        return sorted(dirty), first_operation(losses, some, states[0])
