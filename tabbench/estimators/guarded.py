"""The guarded net as estimators, with all the usual hyperparameters on top of presets with good defaults.

The parameters become a recipe here; how nets are trained and guarded is in `nets/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Number
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadOption, TrainingFailed
from tabbench.core.faults import incident
from tabbench.core.finding import BEFORE_TRAINING, Incident
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor, TrainingRows
from tabbench.estimators.distinct_rows import DistinctRows, RowNames
from tabbench.estimators.guarded_recipe import fingerprint_of, portfolio_of, settings_of
from tabbench.estimators.guarded_words import ATTRIBUTES, CLIP_AND_GROW, FROM_GUARD_ON, UP_TO_NOISE
from tabbench.estimators.knobs import between, callbacks_of, device_of, effort_of, flag, loss_of, required
from tabbench.nets.presets import PORTFOLIO_EFFORT, SAFE_RATE
from tabbench.views.target_scale import OUTLYING, is_outlying

MOST_DOUBLINGS = 3
"""A net that underfits may become eight times as wide."""
MANY_CONTRADICTED, MOST_NAMED = 0.1, 20
"""Share of rows that contradict others from which on it is reported, and how many of them are named."""
WORTH_GROWING = 0.99
"""The wider net is kept if its validation loss is at most this share of the narrower one's."""


class _GuardedMLP(TabularEstimator):
    """Base of classifier and regressor."""

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, learning_rate: float | str | None = None,
                 schedule: str | None = None, optimizer: str | None = None, bins: int | None = None,
                 hidden_sizes: Sequence[int] | None = None, activation: str | None = None, initialization: str | None = None,
                 batch_size: int | str = "auto", max_epochs: int | None = None, early_stopping: bool = True,
                 folds: int | None = None, validation_fraction: float = 0.2, weight_decay: float | None = None,
                 decay_schedule: str | None = None, l1: float = 0.0, l2: float = 0.0, dropout: float | None = None,
                 batch_norm: bool = False, mixup: float = 0.0, noise: float = 0.0, clip: float | str | None = None,
                 grow: bool = False, loss: Any = None, guard: bool = True, callbacks: Sequence[Any] = (),
                 precision: str = "float32", device: str = "auto", random_state: Any = None, n_jobs: int | None = None) -> None:
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
        self.random_state = random_state
        self.n_jobs = n_jobs

    # -- learning -----------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, *, checkpoint: Any = None,
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
        checkpoint : str or path, default None
            Folder that the state is written to after each epoch.
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
        self.__dict__.pop("_model", None)  # what was learnt before goes with the view that is about to be replaced
        if (checkpoint is not None or resume_from is not None) and not isinstance(self.random_state, int | np.integer):
            raise BadOption("random_state must be a whole number where there is a checkpoint, or it could not be continued")
        training, names = self._prepared(X, y, sample_weight, groups)
        loss = self._own_loss(training)
        try:
            training = self._with_rate(training, loss)
            identity = fingerprint_of(training, self.get_params(deep=False))
            model = self._fit_model(training, loss, self._options(checkpoint, resume_from, identity, names.of_incident))
        except TrainingFailed as error:
            error.incidents = tuple(names.of_incident(each) for each in error.incidents)
            raise
        self._model = model.bare()  # a pickle holds no training data
        self._describe(model, names)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def sanity_check(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Test whether a net can memorize one row, then 32, 256, 2,048 and all rows, without any regularization.

        A net that cannot memorize 32 rows is not set up correctly: check loss, labels and learning rate first.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        stages : DataFrame
            Columns `stage`, `rows`, `steps`, `loss_at_start`, `loss_at_end` and `is_learnt`; one row per stage up to the first
            that fails.
        """
        from tabbench.nets.trials import learn_by_heart

        trial = self._trial()
        training, _ = trial._prepared(X, y, sample_weight, None)
        loss = trial._own_loss(training)
        return pd.DataFrame(learn_by_heart(trial._with_rate(training, loss), loss, trial._quiet_options()))

    def find_dirty_rows(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Find rows whose loss or gradient is not finite, whatever the weights of the net.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        rows : DataFrame
            Index labels of the rows (positions if X is an array) and the `operation` of the loss that fails first.
        """
        from tabbench.nets.trials import find_unsound

        trial = self._trial()
        training, names = trial._prepared(X, y, sample_weight, None)
        rows, operation = find_unsound(training, trial._own_loss(training), trial._quiet_options())
        return pd.DataFrame({"operation": operation}, index=names.labels(rows))

    def learning_rate_range_test(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Train one net while its learning rate rises from 1e-7 to 10.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        losses : DataFrame
            Columns `learning_rate` and `loss`, the smoothed training loss.

        Notes
        -----
        The test is Smith's (doi:10.1109/WACV.2017.58).
        """
        from tabbench.nets.trials import test_range

        trial = self._trial()
        training, _ = trial._prepared(X, y, sample_weight, None)
        rates, losses = test_range(training, trial._own_loss(training), trial._quiet_options())
        return pd.DataFrame({"learning_rate": rates, "loss": losses})

    def _trial(self) -> Self:
        """Return a clone, so that a trial leaves what was fitted unchanged."""
        trial: Self = clone(self)
        return trial

    # -- looking ------------------------------------------------------------------------------------------------------------

    def plot_training(self, axes: Any = None) -> Any:
        """Plot losses, learning rate and gradient norm by epoch, with incidents and the best epoch marked.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default None
            Three axes to draw on; by default those of a new figure.

        Returns
        -------
        figure : matplotlib Figure
            The figure of the axes.
        """
        from tabbench.nets.pictures import plot_training

        check_is_fitted(self)
        if not len(self.history_):
            raise ValueError("there is nothing to draw: training was stopped before its first epoch")
        return plot_training(self.history_, self.incidents_, self.best_epoch_, axes)

    def plot_weights(self, axes: Any = None) -> Any:
        """Plot a histogram of the weights of each layer, with dead units and update ratios.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default None
            One axis per layer to draw on; by default those of a new figure.

        Returns
        -------
        figure : matplotlib Figure
            The figure of the axes.
        """
        from tabbench.nets.pictures import plot_weights

        check_is_fitted(self)
        return plot_weights(self._model.weights_by_layer(), self._model.tuned["weights"], axes)

    # -- from parameters to a training ----------------------------------------------------------------------------------------

    def _prepared(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> tuple[TrainingSet, RowNames]:
        rows = self._read_training(X, y, sample_weight, groups)
        is_each = not (sample_weight is None or isinstance(sample_weight, Number))  # one number weighs all rows alike
        positions = np.flatnonzero(np.asarray(sample_weight, dtype=float) > 0) if is_each else np.arange(len(rows))
        distinct = DistinctRows.of(self._with_class_weights(rows), positions)
        names = RowNames(distinct.members, X.index if isinstance(X, pd.DataFrame) else None)
        self._contradicted, self._differ_in_features = distinct.contradicted, distinct.differ_in_features
        rows, seed = distinct.rows, self._seed()
        training = TrainingSet(features=self._fit_view("net", rows, seed), target=rows.target, task=rows.task, settings={},
                               seed=seed, shared_seed=seed, weight=rows.weight, group=rows.group, tie=distinct.tie,
                               threads=self._threads(), device=device_of(self.device))
        return replace(training, settings=self._settings(len(rows), rows.task.n_classes)), names

    def _with_class_weights(self, rows: TrainingRows) -> TrainingRows:
        return rows

    def _settings(self, rows: int, classes: int) -> dict[str, Any]:
        return settings_of(self.get_params(deep=False), rows, classes)

    def _with_rate(self, training: TrainingSet, loss: Any) -> TrainingSet:
        """Search the learning rate if asked, and return the training set with it."""
        self.rates_tried_ = None
        if self.learning_rate == "search":
            from tabbench.nets.trials import find_rate

            found = find_rate(training, loss, self._quiet_options())
            self.rates_tried_ = pd.DataFrame({"learning_rate": found.rates, "loss": found.losses})
            training = replace(training, settings=training.settings | {"learning_rate": found.best})
        self.learning_rate_ = training.settings["learning_rate"]
        return training

    def _options(self, checkpoint: Any, resume_from: Any, identity: str, named: Any = None) -> Any:
        from tabbench.nets.training_options import TrainingOptions

        optimizer = "adam" if self.optimizer is None else self.optimizer
        return TrainingOptions(
            is_guarded=flag("guard", self.guard), safe_rate=SAFE_RATE[optimizer], callbacks=callbacks_of(self.callbacks),
            checkpoint=None if checkpoint is None else Path(checkpoint),
            resume_from=None if resume_from is None else Path(resume_from), identity=identity, named=named)

    def _quiet_options(self) -> Any:
        """Return the options of trials and searches, without the user's callbacks."""
        return replace(self._options(None, None, ""), callbacks=())

    def _fit_model(self, training: TrainingSet, loss: Any, options: Any) -> Any:
        """Fit one recipe, or a portfolio if the effort suffices; with `grow`, widen the net while the loss improves."""
        from tabbench.nets.model import fit_net

        if effort_of(self.preset, self.effort) >= PORTFOLIO_EFFORT and training.settings["folds"] > 1:
            from tabbench.estimators.net_ensemble import fit_ensemble

            return fit_ensemble(training, loss, options, portfolio_of(self.get_params(deep=False)))
        model: Any = fit_net(training, loss, options)
        for _ in range(MOST_DOUBLINGS if flag("grow", self.grow) else 0):
            doubled = [2 * size for size in training.settings["hidden"]]
            training = replace(training, settings=training.settings | {"hidden": doubled})
            try:
                wider: Any = fit_net(training, loss, replace(options, checkpoint=None, resume_from=None))
            except TrainingFailed:  # the narrower one is there
                break
            if np.mean(wider.record.validation_losses) > WORTH_GROWING * np.mean(model.record.validation_losses):
                break
            model = wider
        return model

    def _describe(self, model: Any, names: RowNames) -> None:
        record = model.record
        self.incidents_ = [names.of_incident(each) for each in (*self._advice(len(names.members)), *model.incidents)]
        self.history_ = pd.DataFrame(record.history)
        self.quarantined_rows_ = names.labels(record.quarantined).tolist()
        self.best_epoch_ = int(np.median(model.tuned["epochs"]))
        self.n_iter_ = max(int(self.history_["epoch"].max()) if len(self.history_) else 0, 1)
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


class GuardedMLPClassifier(_GuardedMLP, TabularClassifier):  # noqa: D101 - it shares most of its docstring with the next
    __doc__ = f"""Averaged small neural nets for classification, trained under a guard that detects and repairs faults.

    Numbers are scaled robustly and encoded piecewise linearly in bins, categories become indicators or embeddings, and missing
    values are encoded separately. The nets of all folds are trained together and averaged.
    {UP_TO_NOISE}
    label_smoothing : float, default 0.0
        Share of each label that is spread over all classes, from 0 to 0.9.{CLIP_AND_GROW}
    loss : {{"log"}}, callable, dict or None, default None
        Loss function; None is log loss. A callable takes torch tensors, logits of shape (m, n_classes) and class codes of shape
        (m,), and returns the losses of the rows, of shape (m,). A dict maps names or callables to weights.
    class_weight : dict, "balanced" or None, default None
        Weights of the class labels, multiplied by `sample_weight`.{FROM_GUARD_ON}
    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the probabilities.{ATTRIBUTES}
    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> model = GuardedMLPClassifier("fast", random_state=0).fit(X, X[:, 0] * X[:, 1] > 0)
    >>> model.score(X, X[:, 0] * X[:, 1] > 0) > 0.9, model.incidents_
    (True, [])
    """

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, learning_rate: float | str | None = None,
                 schedule: str | None = None, optimizer: str | None = None, bins: int | None = None,
                 hidden_sizes: Sequence[int] | None = None, activation: str | None = None, initialization: str | None = None,
                 batch_size: int | str = "auto", max_epochs: int | None = None, early_stopping: bool = True,
                 folds: int | None = None, validation_fraction: float = 0.2, weight_decay: float | None = None,
                 decay_schedule: str | None = None, l1: float = 0.0, l2: float = 0.0, dropout: float | None = None,
                 batch_norm: bool = False, mixup: float = 0.0, noise: float = 0.0, label_smoothing: float = 0.0,
                 clip: float | str | None = None, grow: bool = False, loss: Any = None, class_weight: Any = None,
                 guard: bool = True, callbacks: Sequence[Any] = (), precision: str = "float32", device: str = "auto",
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        super().__init__(
            preset, effort=effort, learning_rate=learning_rate, schedule=schedule, optimizer=optimizer, bins=bins,
            hidden_sizes=hidden_sizes, activation=activation, initialization=initialization, batch_size=batch_size,
            max_epochs=max_epochs, early_stopping=early_stopping, folds=folds, validation_fraction=validation_fraction,
            weight_decay=weight_decay, decay_schedule=decay_schedule, l1=l1, l2=l2, dropout=dropout, batch_norm=batch_norm,
            mixup=mixup, noise=noise, clip=clip, grow=grow, loss=loss, guard=guard, callbacks=callbacks, precision=precision,
            device=device, random_state=random_state, n_jobs=n_jobs)
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Class probabilities in the order of `classes_`.
        """
        matrix = self._matrix(X)
        return np.asarray(self._model.predict(matrix))

    def _settings(self, rows: int, classes: int) -> dict[str, Any]:
        return super()._settings(rows, classes) | {
            "label_smoothing": between("label_smoothing", required("label_smoothing", self.label_smoothing), 0.0, 0.9)}

    def _with_class_weights(self, rows: TrainingRows) -> TrainingRows:
        if self.class_weight is None:
            return rows
        by_code = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[rows.target],
                                       sample_weight=rows.weight)
        if not (np.isfinite(by_code).all() and (by_code >= 0).all() and (by_code[rows.target] > 0).any()):
            raise BadOption(f"class_weight must give finite weights of 0 or more, not all of them 0, not {self.class_weight!r}")
        return replace(rows, weight=by_code[rows.target] * (1.0 if rows.weight is None else rows.weight))

    def _own_loss(self, training: TrainingSet) -> Any:
        from tabbench.nets.loss import Loss

        return loss_of(self.loss, Loss("log", training.task.n_classes), ("log",))


class GuardedMLPRegressor(_GuardedMLP, TabularRegressor):  # noqa: D101
    __doc__ = f"""Averaged small neural nets for regression, trained under a guard that detects and repairs faults.

    Numbers are scaled robustly and encoded piecewise linearly in bins, categories become indicators or embeddings, and missing
    values are encoded separately. The target is standardized, and predictions stay within the range seen in training. The nets of
    all folds are trained together and averaged.
    {UP_TO_NOISE}{CLIP_AND_GROW}
    loss : {{"squared", "absolute", "huber"}}, callable, dict or None, default None
        Loss function; None is the squared error, or Huber's loss if a few targets lie far outside. A callable takes torch
        tensors, outputs of shape (m, 1) and targets of shape (m,), both standardized, and returns the losses of the rows, of
        shape (m,). A dict maps names or callables to weights.{FROM_GUARD_ON}
    Attributes
    ----------{ATTRIBUTES}
    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> bool(GuardedMLPRegressor("fast", random_state=0).fit(X, X[:, 0] * X[:, 1]).score(X, X[:, 0] * X[:, 1]) > 0.8)
    True
    """

    def predict(self, X: Any) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions in the units of the target.
        """
        matrix = self._matrix(X)
        return np.asarray(self._model.predict(matrix))

    def _own_loss(self, training: TrainingSet) -> Any:
        from tabbench.nets.loss import Loss

        self._outlying = np.flatnonzero(is_outlying(training.target)) if self.loss is None and self.guard else np.array([], int)
        default = Loss("huber" if len(self._outlying) else "squared", 0)
        return loss_of(self.loss, default, ("squared", "absolute", "huber"))

    def _advice(self, rows: int) -> list[Incident]:
        if not len(self._outlying):
            return super()._advice(rows)
        evidence = f"{len(self._outlying)} targets lie more than {OUTLYING:g} times the distance of the quartiles away"
        return [*super()._advice(rows), incident("D06", BEFORE_TRAINING, evidence, outcome="healed",
                                                 action="Huber's loss instead of the squared one", rows=self._outlying.tolist())]
