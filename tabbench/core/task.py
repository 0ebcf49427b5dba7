"""What is to be predicted and how it is judged. Inferring a task from a table is `data/`'s work."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

TaskKind = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Task:
    """The question put to every approach.

    `classes` are the labels as spelled in the file, in the order of the probability columns; for a binary task
    the second one is the positive class. Targets travel as codes into `classes`. `metric` decides; `metrics` are
    all that are reported, the deciding one first.
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
        """The same task over some of its classes, as a small training prefix may hold fewer."""
        return replace(self, classes=classes, kind="binary" if len(classes) == 2 else self.kind)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same task back."""
        return asdict(self) | {"classes": list(self.classes), "metrics": list(self.metrics)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Task:
        """The task that `to_json` wrote."""
        return cls(values["kind"], tuple(values["classes"]), values["metric"], tuple(values["metrics"]))
