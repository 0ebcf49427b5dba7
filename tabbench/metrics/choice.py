"""Which metrics a kind of task reports, and which one decides."""

from __future__ import annotations

from collections.abc import Sequence

from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.metric import METRICS
from tabbench.core.task import TaskKind


def default_metrics(kind: TaskKind) -> tuple[str, ...]:
    """The metrics that are reported, the deciding one first.

    >>> default_metrics("regression")
    ('rmse', 'mae', 'r2')
    """
    placed = sorted((metric.place, metric.name) for metric in METRICS if kind in metric.tasks and metric.place is not None)
    return tuple(name for _, name in placed)


NAMES_OF_SCIKIT_LEARN = {
    "neg_log_loss": "log_loss", "neg_brier_score": "brier", "roc_auc": "auc", "roc_auc_ovr_weighted": "auc",
    "matthews_corrcoef": "mcc", "average_precision": "average_precision", "neg_root_mean_squared_error": "rmse",
    "neg_mean_squared_error": "mse", "neg_mean_absolute_error": "mae", "neg_median_absolute_error": "median_absolute_error",
    "neg_mean_absolute_percentage_error": "mape", "neg_root_mean_squared_log_error": "rmsle",
    "neg_mean_poisson_deviance": "poisson_deviance", "f1_macro": "f1_macro", "precision_macro": "precision_macro",
    "recall_macro": "recall_macro"}
"""Name of a scorer of scikit-learn -> name of the same metric here."""


def choose_metrics(kind: TaskKind, wanted: str | Sequence[str] | None) -> tuple[str, ...]:
    """The metrics that `wanted` names, of which the first decides, then the other default ones.

    Raises
    ------
    UnknownName
        There is no such metric.
    BadOption
        The metric does not apply to this kind of task.

    >>> choose_metrics("regression", "mae"), choose_metrics("binary", "roc_auc,f1")[:3]
    (('mae', 'rmse', 'r2'), ('auc', 'f1', 'log_loss'))
    """
    given = wanted.split(",") if isinstance(wanted, str) else wanted or ()
    names = [NAMES_OF_SCIKIT_LEARN.get(name.strip(), name.strip()) for name in given]
    for name in names:
        _require(kind, name)
    return tuple(dict.fromkeys((*names, *default_metrics(kind))))


def _require(kind: TaskKind, wanted: str) -> None:
    applicable = [metric.name for metric in METRICS if kind in metric.tasks]
    if wanted not in METRICS:
        raise UnknownName.among("metric", wanted, applicable)
    if kind not in METRICS.get(wanted).tasks:
        raise BadOption(f"--metric {wanted} does not apply to a {kind} task; choose one of: {', '.join(applicable)}")
