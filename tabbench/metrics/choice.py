"""Which metrics a kind of task reports, and which one decides."""

from __future__ import annotations

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


def choose_metrics(kind: TaskKind, wanted: str | None) -> tuple[str, ...]:
    """The default metrics with `wanted` deciding, so first.

    Raises
    ------
    UnknownName
        There is no such metric.
    BadOption
        The metric does not apply to this kind of task.

    >>> choose_metrics("regression", "mae")
    ('mae', 'rmse', 'r2')
    """
    defaults = default_metrics(kind)
    if wanted is None:
        return defaults
    applicable = [metric.name for metric in METRICS if kind in metric.tasks]
    if wanted not in METRICS:
        raise UnknownName.among("metric", wanted, applicable)
    if wanted not in applicable:
        raise BadOption(f"--metric {wanted} does not apply to a {kind} task; choose one of: {', '.join(applicable)}")
    return (wanted, *(name for name in defaults if name != wanted))
