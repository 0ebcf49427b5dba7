"""What a net sees of a row that nothing has to be learnt for: numbers, how far each is through its bins, indicators of levels.

Knows nothing of networks. The piecewise-linear bins let a small net learn steps and kinks at once that it would need thousands
of steps for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

LARGEST_INPUT = 30.0
"""The view's numbers lie within 3; whatever is beyond this is clamped, so that no input alone can make a step explode."""
ENCODED_SCALE = 3.0
"""Encoded values lie in [0, this]; as each touches few rows at a time, its weights have to count for more."""
NARROWEST = 1e-4
"""On the view's scale, where a column's quartiles are about one apart."""
MOST_BINS = 1024
"""Of all columns together: a wide table gets fewer a column, or none."""
FEWEST_ROWS_A_BIN = 10
QUANTILE_ROWS = 20_000
"""Evenly spaced rows that the bins are learnt from: more don't move quantiles."""
ONE_HOT_LEVELS = 9
"""Categories with so many levels at most enter as indicators, the others as embeddings, as in RealMLP (arXiv:2407.04491)."""


@dataclass(frozen=True, eq=False)
class NetEncoding:
    """Bins (b,): column, left edge, one over the width (doi:10.48550/arXiv.2203.05556); and how many codes each category has."""

    columns: Tensor
    left: Tensor
    inverse_width: Tensor
    cardinalities: tuple[int, ...]

    @classmethod
    def fit(cls, numbers: np.ndarray, cardinalities: tuple[int, ...], bins: int) -> NetEncoding:
        """At most `bins` of each column of finite float32 (n, p); a column of two values or one needs none."""
        sample = np.clip(numbers[::-(-len(numbers) // QUANTILE_ROWS)], -LARGEST_INPUT, LARGEST_INPUT)
        bins = min(bins, len(numbers) // FEWEST_ROWS_A_BIN, MOST_BINS // max(1, numbers.shape[1]))
        columns: list[int] = []
        edges = [np.zeros((2, 0))]
        for column in range(numbers.shape[1] if bins > 1 else 0):
            each = np.unique(np.quantile(sample[:, column], np.linspace(0, 1, bins + 1), method="inverted_cdf"))
            each = each[np.append(True, np.diff(each) > NARROWEST)]
            if len(each) > 2:
                columns += [column] * (len(each) - 1)
                edges.append(np.stack([each[:-1], each[1:]]))
        left, right = np.concatenate(edges, axis=1).astype(np.float32)
        return cls(torch.tensor(columns, dtype=torch.int64), torch.from_numpy(left), torch.from_numpy(1.0 / (right - left)),
                   cardinalities)

    @property
    def one_hot(self) -> list[int]:
        """Category columns that enter as indicators, one a level and none for what is missing or unseen."""
        return [column for column, codes in enumerate(self.cardinalities) if codes - 1 <= ONE_HOT_LEVELS]

    @property
    def embedded(self) -> list[int]:
        """The other category columns."""
        return [column for column, codes in enumerate(self.cardinalities) if codes - 1 > ONE_HOT_LEVELS]

    def width(self, numbers: int) -> int:
        """Columns of what `encoded` gives for so many number columns."""
        return numbers + len(self.columns) + sum(self.cardinalities[column] - 1 for column in self.one_hot)

    def encoded(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Numbers (m, p) and codes (m, q) as float32 (m, width).

        A bin is 0 left of it, `ENCODED_SCALE` right of it, linear inside.
        """
        numbers = numbers.clamp(-LARGEST_INPUT, LARGEST_INPUT)
        parts = [numbers]
        if len(self.columns):
            through = (numbers.index_select(1, self.columns) - self.left) * self.inverse_width
            parts.append(through.clamp_(0.0, 1.0).mul_(ENCODED_SCALE))
        if self.one_hot:
            levels = [self.cardinalities[column] - 1 for column in self.one_hot]
            given, starts = codes[:, self.one_hot], torch.tensor([0, *accumulate(levels)][:-1], device=codes.device)
            places = torch.where(given > 0, given + (starts - 1), sum(levels))
            indicators = torch.zeros((len(codes), sum(levels) + 1), device=codes.device).scatter_(1, places, 1.0)
            parts.append(indicators[:, :-1])  # the last one stood for missing and unseen
        return torch.cat(parts, dim=1)

    def on(self, device: str) -> NetEncoding:
        """The same on a device."""
        return NetEncoding(self.columns.to(device), self.left.to(device), self.inverse_width.to(device), self.cardinalities)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The bins as plain arrays."""
        return {"columns": self.columns.cpu().numpy(), "left": self.left.cpu().numpy(),
                "inverse_width": self.inverse_width.cpu().numpy()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray], cardinalities: tuple[int, ...]) -> NetEncoding:
        """The encoding with the bins that `to_arrays` took apart."""
        columns, left, inverse_width = (torch.from_numpy(np.array(arrays[name])) for name in ("columns", "left", "inverse_width"))
        return cls(columns, left, inverse_width, cardinalities)
