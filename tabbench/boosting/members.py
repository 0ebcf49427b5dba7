"""Fits one library: every configuration on the same inner folds, stopped by the loss over all folds together.

What is fitted here is kept in the batch's memo, so that `boosting` costs nothing where its members ran already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.boosting.booster import Configuration, Fold, GrowingBooster, LearningRows, Library, Trees, library
from tabbench.boosting.configurations import configurations
from tabbench.boosting.objective import Objective
from tabbench.core.approach import Settings, TrainingSet
from tabbench.core.matrices import TreeMatrix
from tabbench.data.inner_splits import inner_folds
from tabbench.data.target_scale import TargetScale


@dataclass(frozen=True, eq=False)
class Member:
    """One configuration of one library: the mean of its models.

    `validation` holds its predictions for the rows that some inner fold held out: (v, classes) or (v,) on the learner's
    scale; `loss` is their mean loss.
    """

    library: str
    configuration: int
    rounds: int
    models: tuple[Trees, ...]
    validation: np.ndarray
    loss: float

    def predict(self, matrix: TreeMatrix, objective: Objective) -> np.ndarray:
        """(m, classes) or (m,) on the learner's scale."""
        return mean_prediction(self.models, matrix, objective)


@dataclass(frozen=True, eq=False)
class LibraryFit:
    """All members of one library on one training set.

    `target` and `weight` are those of the rows (v,) that `Member.validation` is about.
    """

    members: tuple[Member, ...]
    objective: Objective
    scale: TargetScale | None
    target: np.ndarray
    weight: np.ndarray | None


def fit_library(name: str, training: TrainingSet, settings: Settings) -> LibraryFit:
    """The members of a library, from the batch's memo when another approach fitted them on the same rows."""
    key = (name, json.dumps(settings, sort_keys=True), training.shared_seed, training.threads, _digest(training))
    fitted: LibraryFit = training.shared.once(key, lambda: _fit_members(library(name), training, settings))
    return fitted


def mean_prediction(models: Sequence[Trees], matrix: TreeMatrix, objective: Objective) -> np.ndarray:
    """The mean of the models' predictions, summed in order."""
    total = objective.predictions(models[0].scores(matrix))
    for model in models[1:]:
        total = total + objective.predictions(model.scores(matrix))
    return np.asarray(total / len(models))


def _digest(training: TrainingSet) -> str:
    """Names what is learnt from: approaches of one batch may see other columns or rows of the same table."""
    content = hashlib.blake2b(digest_size=16)
    for values in (training.features.values, training.target, training.weight):
        if values is not None:
            content.update(np.ascontiguousarray(values).data)
    content.update(json.dumps([training.features.levels, training.task.to_json()]).encode())
    return content.hexdigest()


def _fit_members(chosen: Library, training: TrainingSet, settings: Settings) -> LibraryFit:
    objective = Objective.of(training.task)
    scale = TargetScale.of(training.target, training.weight) if training.task.is_regression else None
    target = scale.standardised(training.target) if scale else training.target
    rows = LearningRows(training.features, target, training.weight)
    folds = inner_folds(training, settings["inner_folds"], training.shared_seed)
    binned = chosen.bin(rows, folds, settings["bins"], training.threads)
    fitting = _Fitting(chosen, rows, objective, folds, binned, settings, training)
    members = tuple(fitting.member(index, configuration)
                    for index, configuration in enumerate(configurations(settings, len(training))))
    held_out = np.concatenate([valid for _, valid in folds])
    return LibraryFit(members, objective, scale, target[held_out], rows.weight_of(held_out))


@dataclass(frozen=True, eq=False)
class _Fitting:
    """What all configurations of a library share."""

    chosen: Library
    rows: LearningRows
    objective: Objective
    folds: Sequence[Fold]
    binned: Sequence[Any]
    settings: Settings
    training: TrainingSet

    def member(self, index: int, configuration: Configuration) -> Member:
        """Grow a booster on each fold and keep as many rounds of all as are best over the folds together."""
        boosters = [self._start(binned, configuration, index, fold) for fold, binned in enumerate(self.binned)]
        rounds = self._grow(boosters)
        models = tuple(booster.trees(rounds) for booster in boosters)
        validation = np.concatenate([self.objective.predictions(model.scores(self.rows.matrix.take(valid)))
                                     for model, (_, valid) in zip(models, self.folds, strict=True)])
        held_out = np.concatenate([valid for _, valid in self.folds])
        loss = self.objective.loss(self.rows.target[held_out], validation, self.rows.weight_of(held_out))
        if self.training.time is not None:
            models = (self._refit(configuration, index, rounds),)
        return Member(self.chosen.name, index, rounds, models, validation, loss)

    def _start(self, binned: Any, configuration: Configuration, index: int, fold: int) -> GrowingBooster:
        seed = (self.training.shared_seed + 1009 * index + fold) % 2**31
        return self.chosen.start(binned, self.objective, configuration, self.training.threads, seed)

    def _grow(self, boosters: Sequence[GrowingBooster]) -> int:
        """The number of rounds with the lowest loss over all held-out rows; stops once it has not improved for a while."""
        shares = np.array([self._held_out_weight(valid) for _, valid in self.folds])
        shares = shares / shares.sum()
        best_loss, best_rounds = np.inf, 1
        for rounds in range(1, self.settings["rounds"] + 1):
            loss = float(shares @ [booster.advance() for booster in boosters])
            if loss < best_loss:
                best_loss, best_rounds = loss, rounds
            if rounds - best_rounds >= self.settings["patience"]:
                break
        return best_rounds

    def _held_out_weight(self, valid: np.ndarray) -> float:
        weight = self.rows.weight_of(valid)
        return float(len(valid) if weight is None else weight.sum())

    def _refit(self, configuration: Configuration, index: int, rounds: int) -> Trees:
        """One model on all rows: folds forward in time hold out the newest rows, which matter most."""
        everything = np.arange(len(self.rows.target))
        binned = self.chosen.bin(self.rows, [(everything, self.folds[-1][1])], self.settings["bins"], self.training.threads)
        booster = self._start(binned[0], configuration, index, len(self.folds))
        for _ in range(rounds):
            booster.advance()
        return booster.trees(rounds)
