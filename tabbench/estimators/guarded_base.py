"""How a guarded net is fitted, from the parameters of the estimators to nets and what is known of them.

What a user does with a fitted net besides predicting is in `guarded_tools.py`; how nets are trained and guarded is in `nets/`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from numbers import Number
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadOption, TrainingFailed
from tabbench.core.faults import incident
from tabbench.core.finding import BEFORE_TRAINING, Incident
from tabbench.core.parts import Parts
from tabbench.estimators.base import TabularEstimator, TrainingRows
from tabbench.estimators.distinct_rows import DistinctRows, RowNames
from tabbench.estimators.features import fit_columns, split_columns
from tabbench.estimators.guarded_recipe import fingerprint_of, portfolio_of, settings_of, validated
from tabbench.estimators.guarded_warnings import warn_of
from tabbench.estimators.knobs import callbacks_of, device_of, effort_of, flag, positive
from tabbench.estimators.net_printing import printing_of
from tabbench.estimators.net_validation import criterion_of, folds_of_rows, splits_of
from tabbench.nets.presets import PORTFOLIO_EFFORT, SAFE_RATE

BUILT_IN = ("hidden_sizes", "activation", "initialization", "dropout", "batch_norm", "grow")
"""Parameters of the architecture that a module has of its own."""
MOST_DOUBLINGS = 3
"""A net that underfits may become eight times as wide."""
MANY_CONTRADICTED, MOST_NAMED = 0.1, 20
"""Share of rows that contradict others from which on it is reported, and how many of them are named."""
WORTH_GROWING = 0.99
"""The wider net is kept if its validation loss is at most this share of the narrower one's."""
FRAMES = ("history_", "rates_tried_")
"""Attributes that are written as columns, since frames come back from pickles only."""


class GuardedMLPBase(TabularEstimator):
    """Base of classifier and regressor."""

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, learning_rate: float | str | None = None,
                 schedule: str | None = None, optimizer: str | None = None, bins: int | None = None,
                 hidden_sizes: Sequence[int] | None = None, activation: str | None = None, initialization: str | None = None,
                 batch_size: int | str = "auto", max_epochs: int | None = None, early_stopping: bool = True,
                 folds: int | None = None, validation_fraction: float = 0.2, weight_decay: float | None = None,
                 decay_schedule: str | None = None, l1: float = 0.0, l2: float = 0.0, dropout: float | None = None,
                 batch_norm: bool = False, mixup: float = 0.0, noise: float = 0.0, clip: float | str | None = None,
                 grow: bool = False, loss: Any = None, guard: bool = True, callbacks: Sequence[Any] = (),
                 precision: str = "float32", device: str = "auto", validation_split: Any = None, stopping_metric: Any = None,
                 patience: int | None = None, min_delta: float = 0.0, max_seconds: float | None = None,
                 momentum: float | None = None, betas: Sequence[float] | None = None, embedding_size: int | None = None,
                 module: Any = None, warm_start: bool = False, verbose: int | str = 0, random_state: Any = None,
                 n_jobs: int | None = None) -> None:
        self.preset = preset
        self.effort = effort
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.optimizer = optimizer
        self.bins = bins
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.initialization = initialization
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.folds = folds
        self.validation_fraction = validation_fraction
        self.weight_decay = weight_decay
        self.decay_schedule = decay_schedule
        self.l1 = l1
        self.l2 = l2
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.mixup = mixup
        self.noise = noise
        self.clip = clip
        self.grow = grow
        self.loss = loss
        self.guard = guard
        self.callbacks = callbacks
        self.precision = precision
        self.device = device
        self.validation_split = validation_split
        self.stopping_metric = stopping_metric
        self.patience = patience
        self.min_delta = min_delta
        self.max_seconds = max_seconds
        self.momentum = momentum
        self.betas = betas
        self.embedding_size = embedding_size
        self.module = module
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs

    # -- learning -----------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, *, eval_set: Any = None, checkpoint: Any = None,
            resume_from: Any = None) -> Self:
        """Train the nets.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights; a row of weight two counts as two rows, one of weight zero as none.
        groups : array-like of shape (n_samples,), default None
            Group labels; rows of one group are never divided between training and validation rows.
        eval_set : tuple of (X, y), default None
            Rows to validate on instead of a part of the training rows; one net per repetition learns from all of X.
        checkpoint : str or path, default None
            Folder that the state is written to after each epoch. A training that left its state there is continued.
        resume_from : str or path, default None
            Folder of an earlier checkpoint to continue from; on a CPU the result is the same, bit for bit.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed, or the checkpoint belongs to another training.
        ValueError
            X or y is not valid input for scikit-learn, X holds infinity, or fewer than four rows have a positive weight.
        TrainingFailed
            No net could be trained; its `incidents` say what was seen and tried.
        """
        fitted = copy(self)  # whatever fails leaves the estimator as it was
        is_interrupted = fitted._fit(X, y, sample_weight, groups, eval_set, checkpoint, resume_from)
        self.__dict__.update(fitted.__dict__)
        warn_of(self.incidents_)
        if is_interrupted:
            raise KeyboardInterrupt
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any, eval_set: Any, checkpoint: Any,
             resume_from: Any) -> bool:
        """Fit, and return whether that was interrupted."""
        if (checkpoint is not None or resume_from is not None) and not isinstance(self.random_state, int | np.integer):
            raise BadOption("random_state must be a whole number where there is a checkpoint, or it could not be continued")
        deadline = math.inf if self.max_seconds is None else time.perf_counter() + positive("max_seconds", self.max_seconds)
        before = self._to_go_on_from()
        learnt, names = self._prepared(X, y, sample_weight, groups)
        loss = self._own_loss(learnt)
        try:
            learnt = self._with_rate(learnt, loss)
            training, names, plan = self._planned(learnt, names, X, y, groups, eval_set, before)
            identity = fingerprint_of(training, self.get_params(deep=False))
            options = self._options(checkpoint, resume_from, identity, names.of_incident)
            model = self._fit_model(training, loss, replace(options, deadline=deadline), plan)
        except TrainingFailed as error:
            error.incidents = tuple(names.of_incident(each) for each in error.incidents)
            raise
        model = self._no_worse(model, learnt, loss)
        self._model = model.bare()  # a pickle holds no training data
        self._describe(model, names, training.settings, before)
        return bool(model.record.is_interrupted)

    def _planned(self, learnt: TrainingSet, names: RowNames, X: Any, y: Any, groups: Any, eval_set: Any,
                 before: dict[str, Any] | None) -> tuple[TrainingSet, RowNames, Any]:
        """Return the training rows, followed by those of `eval_set`, their names, and how the nets are validated."""
        from tabbench.nets.plan import TrainingPlan

        if eval_set is not None and self.validation_split is not None:
            raise BadOption("eval_set and validation_split exclude each other; leave one of them out")
        training, folds, learnt_rows = learnt, None, None
        if eval_set is not None:
            training, names, folds = self._with_eval_set(learnt, names, eval_set, len(y))
            learnt_rows = len(learnt)
        elif self.validation_split is not None:
            folds = folds_of_rows(splits_of(self.validation_split, X, y, groups), names.members, len(y))
        if folds is not None:
            training = replace(training, settings=training.settings | validated(self.get_params(deep=False), training.settings,
                                                                                len(folds)))
        elif self.stopping_metric is not None and not training.settings["folds"]:
            raise BadOption("stopping_metric needs validation rows; give eval_set, validation_split or folds, or more than "
                            "100 rows")
        criterion = criterion_of(self.stopping_metric, training.task, training.target, getattr(self, "classes_", None),
                                 training.weight)
        return training, names, TrainingPlan(folds, learnt_rows, criterion, before and before["_model"], self._own_module())

    def _own_module(self) -> Any:
        if self.module is None:
            return None
        if not callable(self.module):
            raise BadOption("module must be a torch.nn.Module class, or a function of the numbers of inputs and outputs that "
                            f"returns a module, not {self.module!r}")
        given = [name for name in BUILT_IN if getattr(self, name)]
        if given:
            raise BadOption(f"{', '.join(given)} are of the nets that are built in, which module replaces; leave one of them out")
        from tabbench.nets.module import Module

        return Module(self.module)

    def _with_eval_set(self, learnt: TrainingSet, names: RowNames, eval_set: Any,
                       n_rows: int) -> tuple[TrainingSet, RowNames, list[Any]]:
        if not isinstance(eval_set, list | tuple) or len(eval_set) != 2:
            raise BadOption("eval_set must be a pair (X, y)")
        X, y = eval_set
        matrix, target = self._matrix_of_training_columns(X), self._eval_target(y)
        if len(target) != len(matrix) or not len(target):
            raise BadOption(f"eval_set must hold as many rows as targets, at least one, not {len(matrix)} and {len(target)}")
        count, more = len(learnt), len(target)
        joined = replace(
            learnt, features=learnt.features.followed_by(matrix), target=np.concatenate([learnt.target, target]),
            weight=None if learnt.weight is None else np.concatenate([learnt.weight, np.full(more, learnt.weight.mean())]),
            group=None, tie=None)
        index = names.index if names.index is None else names.index.append(pd.RangeIndex(n_rows, n_rows + more))
        extended = RowNames([*names.members, *np.arange(n_rows, n_rows + more)[:, None]], index)
        return joined, extended, [(np.arange(count), np.arange(count, count + more))]

    def _eval_target(self, y: Any) -> np.ndarray:
        raise NotImplementedError

    def _matrix_of_training_columns(self, X: Any) -> Any:
        return self._view.transform(fit_columns(split_columns(self._checked(X, reset=False)), self._columns))

    def _to_go_on_from(self) -> dict[str, Any] | None:
        """Return the attributes of the earlier fit that `warm_start` goes on from."""
        if not flag("warm_start", self.warm_start) or not hasattr(self, "_model"):
            return None
        if hasattr(self._model, "models"):
            raise BadOption("warm_start goes on with one recipe of nets; take an effort below 3, or set warm_start=False")
        return {name: value for name, value in vars(self).items() if name.startswith("_") or name.endswith("_")}

    def __getstate__(self) -> Any:
        state = super().__getstate__()
        return state | {name: state[name].to_dict("list") for name in FRAMES if isinstance(state.get(name), pd.DataFrame)}

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state | {name: pd.DataFrame(state[name]) for name in FRAMES if isinstance(state.get(name), dict)})

    def _is_saved_as_parts(self) -> bool:
        return hasattr(self, "_model") and self.module is None  # a module of the user's own is pickled with what it is made of

    def _restored(self, parts: Parts) -> Any:
        from tabbench.nets.ensemble import restore_fitted

        return restore_fitted(parts).bare()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        said = super().__repr__(N_CHAR_MAX)
        return f"{said}  # {self._became()}" if hasattr(self, "_model") else said

    def _html_repr(self) -> str:
        page = super()._html_repr()
        return f"{page}<p>{self._became()}</p>" if hasattr(self, "_model") else str(page)

    def _became(self) -> str:
        """Return what was left open and became of it."""
        return (f"fitted with hidden_sizes={self.hidden_sizes_}, batch_size={self.batch_size_}, learning_rate="
                f"{self.learning_rate_:.3g}, {self.n_iter_} of {self.n_epochs_} epochs")

    # -- from parameters to a training ----------------------------------------------------------------------------------------

    def _prepared(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> tuple[TrainingSet, RowNames]:
        before = self._to_go_on_from()
        rows = self._read_training(X, y, sample_weight, groups)
        self._task = rows.task
        self._require_same_columns(before)
        is_each = not (sample_weight is None or isinstance(sample_weight, Number))  # one number weighs all rows alike
        positions = np.flatnonzero(np.asarray(sample_weight, dtype=float) > 0) if is_each else np.arange(len(rows))
        distinct = DistinctRows.of(self._with_class_weights(rows), positions)
        names = RowNames(distinct.members, X.index if isinstance(X, pd.DataFrame) else None)
        self._contradicted, self._differ_in_features = distinct.contradicted, distinct.differ_in_features
        rows, seed = distinct.rows, self._seed()
        features = self._fit_view("net", rows, seed) if before is None else self._view.transform(rows.features)
        training = TrainingSet(features=features, target=rows.target, task=rows.task, settings={}, seed=seed, shared_seed=seed,
                               weight=rows.weight, group=rows.group, tie=distinct.tie,
                               threads=self._threads(), device=device_of(self.device))
        return replace(training, settings=self._settings(len(rows), rows.task.n_classes)), names

    def _require_same_columns(self, before: dict[str, Any] | None) -> None:
        if before is not None and (self._columns != before["_columns"] or list(getattr(self, "classes_", ())) != list(
                before.get("classes_", ()))):
            raise BadOption("warm_start goes on with the columns and classes of the earlier fit, and these are others; set "
                            "warm_start=False")

    def _with_class_weights(self, rows: TrainingRows) -> TrainingRows:
        return rows

    def _settings(self, rows: int, classes: int) -> dict[str, Any]:
        return settings_of(self.get_params(deep=False), rows, classes)

    def _with_rate(self, training: TrainingSet, loss: Any) -> TrainingSet:
        """Search the learning rate if asked, and return the training set with it."""
        self.rates_tried_ = None
        if self.learning_rate == "search":
            from tabbench.nets.trials import find_rate

            found = find_rate(training, loss, self._quiet_options(), self._trial_plan())
            self.rates_tried_ = pd.DataFrame({"learning_rate": found.rates, "loss": found.losses})
            training = replace(training, settings=training.settings | {"learning_rate": found.best})
        self.learning_rate_ = training.settings["learning_rate"]
        return training

    def _options(self, checkpoint: Any, resume_from: Any, identity: str, named: Any = None) -> Any:
        from tabbench.nets.training_options import TrainingOptions

        return TrainingOptions(
            is_guarded=flag("guard", self.guard), safe_rate=SAFE_RATE,
            callbacks=(*printing_of(self.verbose), *callbacks_of(self.callbacks)),
            keeps_interrupted=True, checkpoint=None if checkpoint is None else Path(checkpoint),
            resume_from=None if resume_from is None else Path(resume_from), identity=identity, named=named)

    def _trial_plan(self) -> Any:
        from tabbench.nets.plan import TrainingPlan

        return TrainingPlan(module=self._own_module())

    def _quiet_options(self) -> Any:
        """Return the options of trials and searches, without the user's callbacks."""
        return replace(self._options(None, None, ""), callbacks=(), keeps_interrupted=False)

    def _fit_model(self, training: TrainingSet, loss: Any, options: Any, plan: Any) -> Any:
        """Fit one recipe, or a portfolio if the effort suffices; with `grow`, widen the net while the loss improves."""
        from tabbench.nets.model import fit_net

        if effort_of(self.preset, self.effort) >= PORTFOLIO_EFFORT and self._may_combine(training, plan):
            from tabbench.estimators.net_ensemble import fit_ensemble

            return fit_ensemble(training, loss, options, plan, portfolio_of(self.get_params(deep=False)))
        options = replace(options, predicts_held_out=False)
        model: Any = fit_net(training, loss, options, plan)
        for _ in range(MOST_DOUBLINGS if flag("grow", self.grow) and not model.record.is_interrupted else 0):
            doubled = [2 * size for size in training.settings["hidden"]]
            training = replace(training, settings=training.settings | {"hidden": doubled})
            try:
                wider: Any = fit_net(training, loss, replace(options, checkpoint=None, resume_from=None), plan)
            except TrainingFailed:  # the narrower one is there
                break
            if wider.record.is_interrupted:
                return replace(model, record=replace(model.record, is_interrupted=True))
            if np.mean(wider.record.kept_losses) > WORTH_GROWING * np.mean(model.record.kept_losses):
                break
            model = wider
        return model

    def _may_combine(self, training: TrainingSet, plan: Any) -> bool:
        """Whether there are held-out rows of all nets, which the weights of several recipes come from."""
        return training.settings["folds"] > 1 and plan.start is None and self.module is None

    def _no_worse(self, model: Any, training: TrainingSet, loss: Any) -> Any:
        """Return the model, or the constant predictor if that is better on the training rows."""
        from tabbench.nets.constant import no_worse_than_constant

        return no_worse_than_constant(model, training, loss) if self.guard else model

    def _describe(self, model: Any, names: RowNames, settings: Mapping[str, Any], before: dict[str, Any] | None) -> None:
        record = model.record
        self.batch_size_, self.n_epochs_ = int(settings["batch_rows"]), int(settings["epochs"])
        self.hidden_sizes_ = None if self.module is not None else tuple(settings["hidden"])
        if record.rates:
            self.learning_rate_ = float(np.median(record.rates))
        self.incidents_ = [names.of_incident(each) for each in (*self._advice(len(names.members)), *model.incidents)]
        self.history_ = pd.DataFrame(record.history)
        self.quarantined_rows_ = names.labels(record.quarantined).tolist()
        self.best_epoch_ = int(np.median(model.tuned["epochs"]))
        self.n_iter_ = max(int(self.history_["epoch"].max()) if len(self.history_) else 0, 1)
        if before is not None and len(before["history_"]):
            self.history_ = pd.concat([before["history_"], self.history_.assign(
                epoch=self.history_["epoch"] + before["n_iter_"])], ignore_index=True)
            self.n_iter_ += before["n_iter_"]
        self.best_loss_ = float(np.mean(record.validation_losses))
        self.n_rollbacks_, self.guard_overhead_ = record.rollbacks, record.guard_overhead

    def _advice(self, rows: int) -> list[Incident]:
        """Return what should be reported before training."""
        if not self.guard:
            return []
        said = []
        if self.activation == "sigmoid":
            said.append(incident("A01", BEFORE_TRAINING, "activation is 'sigmoid'", action="none", outcome="reported only"))
        if not self._is_regression and len(self._contradicted) > MANY_CONTRADICTED * rows and self._differ_in_features:
            evidence = f"{len(self._contradicted)} of {rows} different rows share all features with one of another target"
            said.append(incident("D07", BEFORE_TRAINING, evidence, action="none", outcome="reported only",
                                 rows=self._contradicted[:MOST_NAMED].tolist()))
        return said

    def _own_loss(self, training: TrainingSet) -> Any:
        raise NotImplementedError
