"""From the parameters of a guarded net to the recipe that its training follows. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadOption
from tabbench.estimators.knobs import (
    at_least,
    batches_of,
    between,
    clip_of,
    effort_of,
    flag,
    is_sequence,
    named,
    rate_of,
    required,
    sizes_of,
    whole,
)
from tabbench.estimators.loss_identity import described
from tabbench.nets.presets import PATIENCE, PORTFOLIO, preset_settings
from tabbench.options import choice

SCHEDULES = ("cosine", "warm-up", "one-cycle", "step", "plateau", "coslog4", "constant")
DECAY_SCHEDULES = ("constant", "flat-cosine", "late")
ACTIVATIONS = ("silu", "relu", "gelu", "leaky_relu", "selu", "mish", "tanh", "sigmoid")
INITIALIZATIONS = ("kaiming", "xavier", "truncated_normal", "orthogonal", "data")
ALIASES = {"msra": "kaiming", "he": "kaiming", "glorot": "xavier", "truncated-normal": "truncated_normal"}
"""Other names of initializations."""
OPTIMIZERS = ("adam", "sgd")
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
LARGEST_MEMORY = 0.9999
FEWEST_ROWS_OF_A_FOLD = 2
"""Distinct rows; with fewer than twice as many, the net learns from all of them."""


def settings_of(given: Mapping[str, Any], rows: int, classes: int) -> dict[str, Any]:
    """Return the settings of a training: the parameters that were given, and those of the effort for this many distinct rows.

    Raises
    ------
    BadOption
        A parameter has a value that is not allowed.
    """
    settings = preset_settings(effort_of(given["preset"], given["effort"]), rows, classes)
    optimizer = "adam" if given["optimizer"] is None else choice("optimizer", given["optimizer"], OPTIMIZERS)
    settings |= {"optimiser": optimizer}
    settings |= batches_of(given["batch_size"], settings, rows)
    knobs = {"schedule": named("schedule", given["schedule"], SCHEDULES),
             "decay_schedule": named("decay_schedule", given["decay_schedule"], DECAY_SCHEDULES),
             "activation": named("activation", given["activation"], ACTIVATIONS),
             "initialisation": _initialization(given["initialization"]),
             "weight_decay": at_least("weight_decay", given["weight_decay"], 0.0),
             "epochs": whole("max_epochs", given["max_epochs"], 1), "bins": whole("bins", given["bins"], 0),
             "hidden": sizes_of("hidden_sizes", given["hidden_sizes"]),
             "dropouts": None if given["dropout"] is None else [between("dropout", given["dropout"], 0.0, 0.95)],
             "learning_rate": rate_of(given["learning_rate"]), "betas": _betas(given["betas"]),
             "momentum": between("momentum", given["momentum"], 0.0, LARGEST_MEMORY),
             "embedding_size": whole("embedding_size", given["embedding_size"], 1)}
    settings |= {name: value for name, value in knobs.items() if value is not None}
    settings |= {name: at_least(name, required(name, given[name]), 0.0) for name in ("l1", "l2", "mixup", "noise", "min_delta")}
    settings |= {"batch_norm": flag("batch_norm", given["batch_norm"]), "clip": clip_of(given["clip"]),
                 "precision": choice("precision", given["precision"], PRECISIONS)}
    if given["module"] is not None:
        settings |= {"dropouts": [0.0], "activation": "silu", "repeats": settings["repeats"]}
    return settings | _validation(given, settings, rows)


def _initialization(given: str | None) -> str | None:
    return named("initialization", ALIASES.get(given, given) if isinstance(given, str) else given, INITIALIZATIONS)


def _betas(given: Any) -> list[float] | None:
    if given is None:
        return None
    if not is_sequence(given) or len(given) != 2:
        raise BadOption(f"betas must hold two numbers from 0 to 0.9999, not {given!r}")
    return [between("betas", required("betas", each), 0.0, LARGEST_MEMORY) for each in given]


def _validation(given: Mapping[str, Any], settings: Mapping[str, Any], rows: int) -> dict[str, Any]:
    folds = settings["folds"] if given["folds"] is None else whole("folds", given["folds"], 1)
    if not flag("early_stopping", given["early_stopping"]) or not folds or rows < 2 * FEWEST_ROWS_OF_A_FOLD:
        return {"folds": 0, "patience": None, "keeps_best": False}
    fraction = between("validation_fraction", required("validation_fraction", given["validation_fraction"]), 0.01, 0.5)
    return {"folds": folds, "validation_fraction": fraction, "patience": _patience(given, settings)}


def _patience(given: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    if given["patience"] is None:
        epochs: int = settings["epochs"]
        return max(1, math.ceil(PATIENCE * epochs))
    return int(whole("patience", given["patience"], 1))


def validated(given: Mapping[str, Any], settings: Mapping[str, Any], folds: int) -> dict[str, Any]:
    """Return the settings of nets that are validated on rows of the user's choice.

    Raises
    ------
    BadOption
        Early stopping is off.
    """
    if not flag("early_stopping", given["early_stopping"]):
        raise BadOption("early_stopping is False, so no rows are validated on; leave eval_set and validation_split out")
    return {"folds": folds, "patience": _patience(given, settings), "keeps_best": True}


def portfolio_of(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the recipes of an ensemble by name; parameters that were given are the same in all of them."""
    knobs = {"activation": "activation", "schedule": "schedule", "initialisation": "initialization", "dropouts": "dropout",
             "hidden": "hidden_sizes", "rate_share": "learning_rate"}
    fixed = {knob for knob, name in knobs.items() if given[name] is not None}
    return {name: {knob: value for knob, value in recipe.items() if knob not in fixed} for name, recipe in PORTFOLIO.items()}


def fingerprint_of(training: TrainingSet, parameters: Mapping[str, Any]) -> str:
    """Return the identity of a training for its checkpoints: the encoded rows and the parameters."""
    from tabbench.nets.checkpoint import identity_of

    by_code = ("loss", "module", "stopping_metric", "validation_split")
    changing_nothing = ("callbacks", "device", "n_jobs", "guard", "verbose", "warm_start", "max_seconds")
    plain = {name: str(value) for name, value in parameters.items() if name not in (*changing_nothing, *by_code)}
    weight, group = (0 if each is None else each for each in (training.weight, training.group))
    return identity_of(training.features.numbers, training.features.codes, training.target, weight, group, training.shared_seed,
                       plain | {name: described(parameters[name]) for name in by_code}, training.settings)
