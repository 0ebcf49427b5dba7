"""What is to be predicted and how it is scored. Inferring a task from a table is the work of `reading/`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

TaskKind = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Task:
    """The task that every approach solves.

    Parameters
    ----------
    kind : {"binary", "multiclass", "regression"}
        Kind of the target.
    classes : tuple[str, ...]
        Labels as spelled in the file, in the order of the probability columns; in a binary task the second one is the positive
        class. Targets are stored as codes into `classes`. Empty for regression.
    metric : str
        Name of the metric that decides.
    metrics : tuple[str, ...]
        Names of all reported metrics, the deciding one first.
    """

    kind: TaskKind
    classes: tuple[str, ...]
    metric: str
    metrics: tuple[str, ...]

    @property
    def is_regression(self) -> bool:
        """Whether the target is a number."""
        return self.kind == "regression"

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)

    def with_classes(self, classes: tuple[str, ...]) -> Task:
        """Return the task with only some of its classes, since a small training set may hold fewer."""
        return replace(self, classes=classes, kind="binary" if len(classes) == 2 else self.kind)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, which `from_json` reads."""
        return asdict(self) | {"classes": list(self.classes), "metrics": list(self.metrics)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Task:
        """Read what `to_json` wrote."""
        return cls(values["kind"], tuple(values["classes"]), values["metric"], tuple(values["metrics"]))
