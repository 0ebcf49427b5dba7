"""An approach of a finished comparison as an estimator of scikit-learn's kind, fitted on all rows as they were given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tabbench
from tabbench.approaches.own_metadata import fit_parameters
from tabbench.comparison.original_rows import given_of
from tabbench.comparison.prepare import resolve_source
from tabbench.core.errors import BadOption
from tabbench.core.given import GivenRows
from tabbench.core.setup import Setup
from tabbench.options import Options


@dataclass(frozen=True, eq=False)
class Source:
    """What `compare` was called with; lost where a comparison is reopened or unpickled.

    Parameters
    ----------
    own : dict
        Name -> the user's own estimator.
    """

    data: Any
    options: Options
    own: dict[str, Any] = field(default_factory=dict)


def refitted(name: str, setup: Setup, effort: float, source: Source | None, folder: Path) -> Any:
    """Fit the approach on all rows that were compared: those that were given where they are known, else as they were read.

    Raises
    ------
    BadOption
        It is an estimator of the user's own, and the comparison has been reopened, so that it is not known any more.
    """
    rows, own = _rows(setup, source), {} if source is None else source.own
    weight, groups = setup.table.weight, setup.table.group
    if name in own:
        from sklearn.base import clone

        estimator = clone(own[name])
        return estimator.fit(rows.X, rows.target, **fit_parameters(estimator, weight=weight, groups=groups))
    kind = tabbench.ApproachRegressor if setup.task.is_regression else tabbench.ApproachClassifier
    try:
        estimator = kind(name, effort=effort, random_state=setup.seed % 2**32)
        return estimator.fit(rows.X, rows.target, sample_weight=weight, groups=groups)
    except tabbench.UnknownName as error:
        raise BadOption(f"{name} is an estimator of your own, which the run in {folder} does not hold; fit it yourself, or ask "
                        "the comparison that compare returned") from error


def _rows(setup: Setup, source: Source | None) -> GivenRows:
    if source is None:
        return GivenRows(setup.table.features, setup.table.target)
    data, options = resolve_source(source.data, source.options)
    return given_of(data, setup.table, replace(options, target=setup.table.target_name)).load()
