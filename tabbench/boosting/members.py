"""Fits one library: its configurations on the same inner folds, each stopped by the loss over all folds together.

What is fitted here is kept in the batch's memo, so that `boosting` costs nothing where its members ran already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np

from tabbench.boosting.booster import GrowingBooster, LearningRows, Library, Trees
from tabbench.boosting.configurations import DEFAULT_RATES, DEFAULTS, PORTFOLIOS, Coding
from tabbench.boosting.effort import (
    Effort,
    TreeShape,
    default_tree_settings,
    learning_rate,
    patience,
    plan_effort,
    tree_settings,
)
from tabbench.boosting.encoding import TreeEncoding, encode, telling_numbers, wordy_columns
from tabbench.boosting.libraries import library
from tabbench.boosting.objective import Objective
from tabbench.core.approach import Settings, TrainingSet
from tabbench.core.matrices import TreeMatrix
from tabbench.core.side_by_side import SideBySide
from tabbench.splitting.inner_splits import inner_folds
from tabbench.views.target_scale import TargetScale

Fold = tuple[np.ndarray, np.ndarray]
"""Positions (fit, validation)."""
ROUNDS_AHEAD = 10
"""Where boosters grow side by side they are looked at so often; what one has grown beyond its best round is left out."""


@dataclass(frozen=True, eq=False)
class EncodedTrees:
    """Trees and how the rows are shown to them."""

    encoding: TreeEncoding
    trees: Trees

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        return self.trees.scores(self.encoding.transform(matrix))


@dataclass(frozen=True, eq=False)
class Member:
    """One configuration of one library: the mean of its models.

    `validation` holds its predictions for the rows of `LibraryFit.rows`: (v, classes) or (v,) on the learner's scale; `loss` is
    their mean loss.
    """

    library: str
    configuration: str
    rounds: int
    models: tuple[EncodedTrees, ...]
    validation: np.ndarray
    loss: float


@dataclass(frozen=True, eq=False)
class LibraryFit:
    """All members of one library on one training set.

    `rows` (v,) are the positions that some inner fold held out, ascending; `target` and `weight` are theirs.
    """

    members: tuple[Member, ...]
    objective: Objective
    scale: TargetScale | None
    rows: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None

    def restricted_to(self, rows: np.ndarray) -> LibraryFit:
        """The same with predictions for fewer `rows`, ascending positions among those of the fit."""
        some = np.searchsorted(self.rows, rows)
        members = tuple(replace(member, validation=member.validation[some]) for member in self.members)
        weight = None if self.weight is None else self.weight[some]
        return replace(self, members=members, rows=rows, target=self.target[some], weight=weight)


def on_common_rows(fits: Sequence[LibraryFit]) -> list[LibraryFit]:
    """The fits with what they predict for the rows that all of them held out: one may have grown fewer folds than another."""
    rows = reduce(np.intersect1d, [fit.rows for fit in fits])
    return [fit.restricted_to(rows) for fit in fits]


def fit_library(name: str, training: TrainingSet, settings: Settings) -> LibraryFit:
    """The members of a library, from the batch's memo when another approach fitted them on the same rows."""
    key = ("library", name, json.dumps(settings, sort_keys=True), training.shared_seed, training.threads)
    fitted: LibraryFit = training.shared.once(key, lambda: _fit_members(library(name), training, settings))
    return fitted


def mean_prediction(models: Sequence[EncodedTrees], matrix: TreeMatrix, objective: Objective) -> np.ndarray:
    """The mean of the models' predictions, summed in order."""
    total = objective.predictions(models[0].scores(matrix))
    for model in models[1:]:
        total = total + objective.predictions(model.scores(matrix))
    return np.asarray(total / len(models))


def _fit_members(chosen: Library, training: TrainingSet, settings: Settings) -> LibraryFit:
    objective = Objective.of(training.task)
    shape = TreeShape.of(training.features, objective.classes)
    effort = plan_effort(chosen.name, settings, shape)
    scale = TargetScale.of(training.target, training.weight) if training.task.is_regression else None
    target = scale.standardised(training.target) if scale else training.target
    rows = LearningRows(training.features, target, _unit_weight(training.weight))
    folds = _grown_folds(training, effort)
    fitting = _Fitting(chosen, rows, objective, folds, effort, shape, training)
    held_out = np.unique(np.concatenate([valid for _, valid in folds]))
    members = tuple(fitting.member(growing, held_out) for growing in fitting.contenders())
    some = rows.take(held_out)
    return LibraryFit(members, objective, scale, held_out, some.target, some.weight)


def _grown_folds(training: TrainingSet, effort: Effort) -> list[Fold]:
    """Those folds of all dealt on which boosters are grown: the newest where rows have a time, as they learn from most rows."""
    if training.time is not None:
        return inner_folds(training, effort.dealt, training.shared_seed)[-effort.folds:]
    return [fold for repeat in range(effort.repeats)
            for fold in inner_folds(training, effort.dealt, training.shared_seed + repeat)[:effort.folds]]


def _unit_weight(weight: np.ndarray | None) -> np.ndarray | None:
    """Weights with mean one: the libraries' penalties and least leaf weights are absolute."""
    return None if weight is None else np.asarray(weight / weight.mean())


class _Growth:
    """A booster and its validation loss after each round, grown no further than was asked for."""

    def __init__(self, start: Callable[[], tuple[TreeEncoding, GrowingBooster]]) -> None:
        self._start = start
        self._losses: list[float] = []
        # XGBoost draws from one generator a thread: in one of its own, what a booster draws does not depend on the others.
        self._thread = ThreadPoolExecutor(1)

    @cached_property
    def _begun(self) -> tuple[TreeEncoding, GrowingBooster]:
        return self._start()

    def loss_after(self, rounds: int) -> float:
        while len(self._losses) < rounds:
            self._losses.append(self._begun[1].advance())
        return self._losses[rounds - 1]

    def grow_in_turns(self, rounds: int, turns: SideBySide) -> Future[None]:
        """Grow so many rounds in all in a thread of its own, each in a turn."""
        return self._thread.submit(self._grow, rounds, turns)

    def _grow(self, rounds: int, turns: SideBySide) -> None:
        for number in range(len(self._losses) + 1, rounds + 1):
            with turns:
                self.loss_after(number)

    def model(self, rounds: int) -> EncodedTrees:
        encoding, booster = self._begun
        return EncodedTrees(encoding, booster.trees(rounds))


@dataclass(frozen=True, eq=False)
class _Growing:
    """A configuration on its first folds; `place` is its position in the portfolio."""

    name: str
    place: int
    growths: list[_Growth]


@dataclass(eq=False)
class _Fitting:
    """What all configurations of a library share; `paired` is known once the first of them was grown."""

    chosen: Library
    rows: LearningRows
    objective: Objective
    folds: Sequence[Fold]
    effort: Effort
    shape: TreeShape
    training: TrainingSet
    binned: dict[tuple[str, int], tuple[TreeEncoding, Any]] = field(default_factory=dict)
    paired: tuple[int, ...] = ()

    @cached_property
    def has_wordy_columns(self) -> bool:
        """Whether there are categories that means take the place of; all rows and those of a fold have the same levels."""
        return bool(wordy_columns(self.rows.matrix, self.objective.classes))

    def contenders(self) -> list[_Growing]:
        """The configurations that do best on the first folds, in the portfolio's order; all where none is to be left out."""
        started: list[_Growing] = []
        for place, name in enumerate(self.effort.names):
            if PORTFOLIOS[self.chosen.name][name].coding == "pairs":
                self.paired = self._telling_numbers(started[0])
                if not self.paired:
                    continue  # without two numbers there is nothing to pair
            started.append(_Growing(name, place, [self._start(name, place, 0)]))
        if self.effort.kept >= len(started):
            return started
        losses = self._losses_on_first_folds(started, min(self.effort.screening, len(self.folds)))
        best = np.argsort(losses, kind="stable")[:self.effort.kept]
        return [started[place] for place in sorted(best)]

    def _losses_on_first_folds(self, started: Sequence[_Growing], folds: int) -> list[float]:
        def loss(growing: _Growing) -> float:
            self._start_on(growing, folds)
            return self._best_rounds(growing, self.folds[:folds])[1]

        turns = self.training.side_by_side
        if turns is None:
            return list(map(loss, started))
        for growing in started:  # before any of them asks for it at the same time as another
            for fold in range(folds):
                self._fold(PORTFOLIOS[self.chosen.name][growing.name].coding, fold)
        return turns.beside(loss, started)

    def _telling_numbers(self, first: _Growing) -> tuple[int, ...]:
        """The numbers that told most in the first configuration on the first fold."""
        rounds, _ = self._best_rounds(first, self.folds[:1])
        model, matrix = first.growths[0].model(rounds), self.rows.matrix
        encoded = model.encoding.transform(matrix.take(np.arange(1)))
        gains = dict(zip(encoded.names, model.trees.gains(len(encoded.names)), strict=True))
        return telling_numbers(matrix, np.array([gains.get(name, 0.0) for name in matrix.names]))

    def member(self, growing: _Growing, held_out: np.ndarray) -> Member:
        """Grow a booster on every fold and keep as many rounds of all as are best over the folds together."""
        self._start_on(growing, len(self.folds))
        rounds, _ = self._best_rounds(growing, self.folds)
        models = tuple(growth.model(rounds) for growth in growing.growths)
        validation = self._validation(models, held_out)
        some = self.rows.take(held_out)
        loss = self.objective.loss(some.target, validation, some.weight)
        if self.training.time is not None:
            models = (self._refit(growing, rounds),)
        return Member(self.chosen.name, growing.name, rounds, models, validation, loss)

    def _start_on(self, growing: _Growing, folds: int) -> None:
        """Boosters of a configuration on so many folds, beside those that it has."""
        growing.growths.extend(self._start(growing.name, growing.place, fold) for fold in range(len(growing.growths), folds))

    def _start(self, name: str, place: int, fold: int) -> _Growth:
        def start() -> tuple[TreeEncoding, GrowingBooster]:
            encoding, binned = self._fold(PORTFOLIOS[self.chosen.name][name].coding, fold)
            return encoding, self._booster(name, binned, 1009 * place + fold)

        return _Growth(start)

    def _booster(self, name: str, binned: Any, number: int) -> GrowingBooster:
        trees = default_tree_settings(self.chosen.name, self.shape) if name == DEFAULTS else tree_settings(
            self.chosen.name, PORTFOLIOS[self.chosen.name][name], self.effort.rounds[name], self.shape)
        seed = (self.training.shared_seed + number) % 2**31
        return self.chosen.start(binned, self.objective, trees, self.training.threads, seed)

    def _fold(self, coding: Coding, fold: int) -> tuple[TreeEncoding, Any]:
        """A fold's binned data, built once for all configurations that see the rows in the same way."""
        if coding == "statistics" and not self.has_wordy_columns:
            coding = "native"
        if (coding, fold) not in self.binned:
            fit, valid = self.folds[fold]
            self.binned[coding, fold] = self._bin(coding, fit, valid, self.training.shared_seed + fold)
        return self.binned[coding, fold]

    def _bin(self, coding: Coding, fit: np.ndarray, valid: np.ndarray, seed: int) -> tuple[TreeEncoding, Any]:
        fit_rows, valid_rows = self.rows.take(fit), self.rows.take(valid)
        encoding, encoded = encode(
            fit_rows.matrix, fit_rows.target, fit_rows.weight, self.objective.classes, seed,
            replaced=() if coding == "native" else wordy_columns(fit_rows.matrix, self.objective.classes),
            paired=self.paired if coding == "pairs" else (), hides_zeros=self.chosen.hides_zeros)
        fit_rows = LearningRows(encoded, fit_rows.target, fit_rows.weight)
        valid_rows = LearningRows(encoding.transform(valid_rows.matrix), valid_rows.target, valid_rows.weight)
        return encoding, self.chosen.bin(fit_rows, valid_rows, self.shape.most_bins, self.training.threads)

    def _best_rounds(self, growing: _Growing, folds: Sequence[Fold]) -> tuple[int, float]:
        """The number of rounds with the lowest loss over the folds' held-out rows, and that loss."""
        most = self.effort.rounds[growing.name]
        shares = np.array([self._held_out_weight(valid) for _, valid in folds])
        shares = shares / shares.sum()
        rate = DEFAULT_RATES[self.chosen.name] if growing.name == DEFAULTS else learning_rate(
            self.chosen.name, most, self.shape.classes)
        patient = patience(rate)
        best_loss, best_rounds = np.inf, 1
        for rounds in range(1, most + 1):
            if rounds % ROUNDS_AHEAD == 1:
                self._grow_ahead(growing.growths[:len(folds)], min(rounds + ROUNDS_AHEAD - 1, most))
            loss = float(shares @ [growth.loss_after(rounds) for growth in growing.growths[:len(folds)]])
            if loss < best_loss:
                best_loss, best_rounds = loss, rounds
            if rounds - best_rounds >= patient:
                break
        return best_rounds, best_loss

    def _grow_ahead(self, growths: Sequence[_Growth], rounds: int) -> None:
        """Grow boosters side by side where the fit is divided."""
        turns = self.training.side_by_side
        if turns is not None:
            for growing in [growth.grow_in_turns(rounds, turns) for growth in growths]:
                growing.result()

    def _held_out_weight(self, valid: np.ndarray) -> float:
        weight = self.rows.weight
        return float(len(valid) if weight is None else weight[valid].sum())

    def _validation(self, models: Sequence[EncodedTrees], held_out: np.ndarray) -> np.ndarray:
        """The mean over repeats of what the folds' models predict for the rows they did not learn from."""
        shape = (len(self.rows), self.objective.classes) if self.objective.classes else (len(self.rows),)
        total, times = np.zeros(shape), np.zeros(len(self.rows))

        def predicted(model: EncodedTrees, valid: np.ndarray) -> np.ndarray:
            return self.objective.predictions(model.scores(self.rows.matrix.take(valid)))

        turns, valid_rows = self.training.side_by_side, [valid for _, valid in self.folds]
        found = map(predicted, models, valid_rows) if turns is None else turns.map(predicted, models, valid_rows)
        for predictions, valid in zip(found, valid_rows, strict=True):
            total[valid] += predictions
            times[valid] += 1
        mean: np.ndarray = (total[held_out].T / times[held_out]).T
        return mean

    def _refit(self, growing: _Growing, rounds: int) -> EncodedTrees:
        """One model on all rows: folds forward in time hold out the newest rows, which matter most."""
        everything = np.arange(len(self.rows))
        coding = PORTFOLIOS[self.chosen.name][growing.name].coding
        encoding, binned = self._bin(coding, everything, self.folds[-1][1], self.training.shared_seed + len(self.folds))
        growth = _Growth(lambda: (encoding, self._booster(growing.name, binned, 1009 * growing.place + len(self.folds))))
        growth.loss_after(rounds)
        return growth.model(rounds)
