"""Predict with a saved model: from its parts to numbers, from numbers to the columns that a user reads.

Learns from its caller how an approach is found by name; must not know any approach itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.core.approach import Approach, FittedApproach
from tabbench.core.errors import BadData, TabbenchError
from tabbench.core.task import Task
from tabbench.model.saving import SavedModel
from tabbench.views import FittedView, restore_view

STUMBLES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, AssertionError, MemoryError)
"""What Python and the libraries raise over values, shapes and sizes that they don't expect."""
LONGEST_REASON = 120
PROBABILITY_TOLERANCE = 1e-3
"""As for what an approach predicts in a comparison."""


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A view and a model that were fitted together, ready to predict.

    `saved` is what they were restored from: it holds the task and the columns that new data must be conformed to.
    """

    saved: SavedModel
    view: FittedView
    model: FittedApproach

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Float64 (n, n_classes) probabilities or (n,) numbers for a frame in the schema of `saved.columns`.

        Raises
        ------
        TabbenchError
            When the model gives something else than finite numbers of that shape.
        """
        with parts_suspected(self.saved.approach), np.errstate(all="ignore"):
            predictions = self.model.predict(self.view.transform(features))
        task = self.saved.task
        shape = (len(features),) if task.is_regression else (len(features), task.n_classes)
        if predictions.shape != shape or not np.isfinite(predictions).all():
            raise TabbenchError(f"the saved {self.saved.approach} model gave predictions of shape {predictions.shape} "
                                f"instead of finite numbers of shape {shape}")
        if not task.is_regression and (predictions.min(initial=0.0) < 0 or np.abs(predictions.sum(axis=1) - 1).max(initial=0.0)
                                       > PROBABILITY_TOLERANCE):
            raise TabbenchError(f"the saved {self.saved.approach} model gave probabilities that are negative or don't sum to one")
        return predictions


def restore_model(saved: SavedModel, find_approach: Callable[[str], Approach]) -> FittedModel:
    """The fitted model that `saved` was made from; its predictions are bit-equal.

    Parameters
    ----------
    saved : SavedModel
        As `load_model` gives it.
    find_approach : Callable[[str], Approach]
        The approach of a name, composed ones included.

    Raises
    ------
    BadData
        When this tabbench has another version of the approach, or one that cannot be restored.
    UnknownName
        By `find_approach`.
    """
    approach = find_approach(saved.approach)
    if approach.restore is None:
        raise BadData(f"{saved.approach} is an estimator of the user's own, which cannot be restored from a file; fit it again")
    if approach.version != saved.version:
        raise BadData(f"the model was saved by version {saved.version} of {saved.approach} and this tabbench has version "
                      f"{approach.version}; use the tabbench that wrote it, or export the model again")
    with parts_suspected(saved.approach):
        return FittedModel(saved, restore_view(saved.view), approach.restore(saved.model))


@contextmanager
def parts_suspected(approach: str) -> Iterator[None]:
    """Inside, parts that don't fit together are a damaged model, whatever stumbles over them.

    Raises
    ------
    BadData
        Something did.
    """
    try:
        yield
    except TabbenchError:
        raise
    except STUMBLES as error:
        why = " ".join(str(error).split())[:LONGEST_REASON]
        raise BadData(f"the parts of the saved {approach} model don't fit together or don't fit the rows "
                      f"({type(error).__name__}: {why}); export the model again") from error


def prediction_frame(predictions: np.ndarray, task: Task, carried: pd.DataFrame | None = None) -> pd.DataFrame:
    """What `predict` writes: carried columns, `prediction`, and one `probability_LABEL` a class.

    Parameters
    ----------
    predictions : ndarray
        (n, n_classes) probabilities or (n,) numbers.
    task : Task
        Names the classes, in the order of the probabilities' columns.
    carried : DataFrame | None, default None
        Columns of the input to pass through, such as an id; a name that is taken gets a number, as `prediction (2)`.

    Examples
    --------
    >>> task = Task("binary", ("no", "yes"), "log_loss", ("log_loss",))
    >>> prediction_frame(np.array([[0.25, 0.75]]), task).to_dict("records")
    [{'prediction': 'yes', 'probability_no': 0.25, 'probability_yes': 0.75}]
    """
    if task.is_regression:
        written = pd.DataFrame({"prediction": predictions})
    else:
        labels = np.array(task.classes, dtype=object)[predictions.argmax(axis=1)]
        written = pd.DataFrame({"prediction": labels}
                               | {f"probability_{label}": predictions[:, code] for code, label in enumerate(task.classes)})
    if carried is None:
        return written
    names = _unused_names(carried.columns, written.columns)
    return pd.concat([carried.set_axis(names, axis=1).reset_index(drop=True), written], axis=1)


def _unused_names(wanted: Iterable[str], taken: Iterable[str]) -> list[str]:
    """The wanted names, each made unique among themselves and the taken ones."""
    used, names = set(taken), []
    for name in wanted:
        unique, number = name, 1
        while unique in used:
            number += 1
            unique = f"{name} ({number})"
        used.add(unique)
        names.append(unique)
    return names
