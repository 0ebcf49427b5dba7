"""Metrics that a caller makes: scorers and functions of scikit-learn's kind, which judge by the splits alone."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tabbench.core.errors import BadOption
from tabbench.core.metric import METRICS, Metric
from tabbench.core.task import TaskKind
from tabbench.metrics.choice import NAMES_OF_SCIKIT_LEARN

HIGHER, LOWER = ("_score",), ("_error", "_loss", "_deviance", "_cost")
"""How functions are called of which more, or less, is better: scikit-learn's convention."""
EVERY_TASK: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")


def adopted(given: Any) -> Any:
    """Return the names of metrics, comma-separated or as given, with a caller's own ones registered under theirs.

    Raises
    ------
    BadOption
        Something is neither a name nor a metric, or does not say whether more is better.
    """
    if given is None or (isinstance(given, str) and "," in given):
        return given
    each = [given] if isinstance(given, str) or callable(given) or isinstance(given, Metric) else given
    if not isinstance(each, Sequence):
        raise BadOption(f"metric must be a name, a scorer, a function or a list of such, not {given!r:.80}")
    return ",".join(map(_name_of, each))


def _name_of(given: Any) -> str:
    if isinstance(given, str):
        return given if given in METRICS or given in NAMES_OF_SCIKIT_LEARN else _scorer_name(given)
    metric = given if isinstance(given, Metric) else _of_scorer(given)
    if metric.name in METRICS and not METRICS.get(metric.name).is_own:
        raise BadOption(f"the name {metric.name!r} is that of a metric of tabbench; give that name, or call yours otherwise")
    METRICS.put(replace(metric, is_own=True))
    return metric.name


def _scorer_name(name: str) -> str:
    """Adopt a scorer that only scikit-learn knows; a name that nobody knows stays, to be refused where the task is known."""
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        return name
    metric = _of_scorer(get_scorer(name), name.removeprefix("neg_"))
    METRICS.put(metric)
    return metric.name


def _of_scorer(given: Callable[..., Any], name: str | None = None) -> Metric:
    from sklearn.metrics import make_scorer

    if not callable(given):
        raise BadOption(f"metric must be a name, a scorer, a function or a list of such, not {given!r:.80}")
    function = getattr(given, "_score_func", given)
    name = name or re.sub(r"\W+", "_", getattr(function, "__name__", type(function).__name__)).strip("_")
    if function is not given or _takes_estimator(given):
        return _metric(name, given)
    if not name.endswith((*HIGHER, *LOWER)):
        raise BadOption(f"it is not known whether more of {name} is better; give make_scorer({name}, greater_is_better=…), or "
                        "let its name end in _score, _error or _loss")
    return _metric(name, make_scorer(given, greater_is_better=name.endswith(HIGHER)))


def _takes_estimator(given: Callable[..., Any]) -> bool:
    """Whether it is a scorer (estimator, X, y), by the number of its arguments without a default."""
    parameters = inspect.signature(given).parameters.values()
    return sum(each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters) == 3


def _metric(name: str, scorer: Callable[..., Any], classes: Sequence[str] = ()) -> Metric:
    """A metric of what a scorer returns, in the sign of the function that it calls."""
    sign = int(getattr(scorer, "_sign", 1))
    return Metric(name, EVERY_TASK, sign > 0, partial(_score, scorer, sign, tuple(classes)), None, is_own=True,
                  for_classes=partial(_metric, name, scorer))


def _score(scorer: Callable[..., Any], sign: int, classes: tuple[str, ...], truth: np.ndarray, prediction: np.ndarray,
           weight: np.ndarray | None) -> float:
    from tabbench.core.predicted import predicted  # scikit-learn, which listing names must not load

    labels = labels_of(classes)
    estimator, target = predicted(prediction, labels), truth if labels is None else labels[truth]
    rows = np.arange(len(truth), dtype=np.float64)[:, None]
    more = {} if weight is None else {"sample_weight": weight}
    return sign * float(scorer(estimator, rows, target, **more))


def labels_of(classes: Sequence[str]) -> np.ndarray | None:
    """Labels as a function of scikit-learn's kind expects them: whole numbers where all are spelled so; None for numbers.

    >>> labels_of(["0", "1"]).tolist(), labels_of(["01", "2"]).tolist()
    ([0, 1], ['01', '2'])
    """
    if not classes:
        return None
    are_whole = all(re.fullmatch(r"0|-?[1-9]\d*", each) for each in classes)
    return np.array([int(each) for each in classes] if are_whole else list(classes), dtype=None if are_whole else object)


def known_labels(names: Sequence[str], classes: Sequence[str]) -> None:
    """Tell a caller's own metrics the labels of the task."""
    for name in names:
        metric = METRICS.get(name)
        if metric.for_classes is not None:
            METRICS.put(metric.for_classes(tuple(classes)))
