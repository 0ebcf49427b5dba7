"""The guarded net as estimators, with all the usual hyperparameters on top of presets with good defaults.

How they are fitted is in `guarded_base.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadData, BadOption
from tabbench.core.faults import incident
from tabbench.core.finding import BEFORE_TRAINING, Incident
from tabbench.estimators.base import TabularClassifier, TabularRegressor, TrainingRows
from tabbench.estimators.guarded_tools import GuardedMLPTools
from tabbench.estimators.guarded_words import ATTRIBUTES, CLIP_AND_GROW, FROM_GUARD_ON, UP_TO_NOISE
from tabbench.estimators.knobs import between, loss_of, required
from tabbench.estimators.net_validation import codes_of
from tabbench.views.target_scale import OUTLYING, is_outlying


class GuardedMLPClassifier(GuardedMLPTools, TabularClassifier):  # noqa: D101 - it shares most of its docstring with the next
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
                 validation_split: Any = None, stopping_metric: Any = None,
                 patience: int | None = None, min_delta: float = 0.0, max_seconds: float | None = None,
                 momentum: float | None = None, betas: Sequence[float] | None = None, embedding_size: int | None = None,
                 module: Any = None, warm_start: bool = False, verbose: int | str = 0, random_state: Any = None,
                 n_jobs: int | None = None) -> None:
        super().__init__(
            preset, effort=effort, learning_rate=learning_rate, schedule=schedule, optimizer=optimizer, bins=bins,
            hidden_sizes=hidden_sizes, activation=activation, initialization=initialization, batch_size=batch_size,
            max_epochs=max_epochs, early_stopping=early_stopping, folds=folds, validation_fraction=validation_fraction,
            weight_decay=weight_decay, decay_schedule=decay_schedule, l1=l1, l2=l2, dropout=dropout, batch_norm=batch_norm,
            mixup=mixup, noise=noise, clip=clip, grow=grow, loss=loss, guard=guard, callbacks=callbacks, precision=precision,
            device=device, validation_split=validation_split, stopping_metric=stopping_metric, patience=patience,
            min_delta=min_delta, max_seconds=max_seconds, momentum=momentum, betas=betas, embedding_size=embedding_size,
            module=module, warm_start=warm_start, verbose=verbose, random_state=random_state, n_jobs=n_jobs)
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def _eval_target(self, y: Any) -> np.ndarray:
        return codes_of(y, self.classes_)

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


class GuardedMLPRegressor(GuardedMLPTools, TabularRegressor):  # noqa: D101
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

    def _eval_target(self, y: Any) -> np.ndarray:
        target = np.asarray(y, dtype=np.float64)
        if target.ndim != 1 or not np.isfinite(target).all():
            raise BadData("eval_set must hold finite targets of shape (n_samples,)")
        return target

    def _own_loss(self, training: TrainingSet) -> Any:
        from tabbench.nets.loss import Loss, with_outputs_as_meant

        self._outlying = np.flatnonzero(is_outlying(training.target)) if self.loss is None and self.guard else np.array([], int)
        default = Loss("huber" if len(self._outlying) else "squared", 0)
        return with_outputs_as_meant(loss_of(self.loss, default, ("squared", "absolute", "huber")))

    def _advice(self, rows: int) -> list[Incident]:
        if not len(self._outlying):
            return super()._advice(rows)
        evidence = f"{len(self._outlying)} targets lie more than {OUTLYING:g} times the distance of the quartiles away"
        return [*super()._advice(rows), incident("D06", BEFORE_TRAINING, evidence, outcome="healed",
                                                 action="Huber's loss instead of the squared one", rows=self._outlying.tolist())]
