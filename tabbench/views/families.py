"""The view of an approach that joins families: the same rows in the view of each. Knows the others only as fitted views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.matrices import FamiliesMatrix
from tabbench.core.parts import Parts


@dataclass(frozen=True, eq=False)
class FamiliesView:
    """`views` maps a view's name to the fitted view."""

    name: ClassVar[ViewName] = "families"
    views: dict[ViewName, Any]

    def transform(self, features: pd.DataFrame) -> FamiliesMatrix:
        """The rows in every view."""
        return FamiliesMatrix({name: view.transform(features) for name, view in self.views.items()})

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts({"view": self.name}, children={name: view.to_parts() for name, view in self.views.items()})
