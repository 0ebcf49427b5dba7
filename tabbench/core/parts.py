"""The pickle-free form of anything fitted: JSON values, arrays and opaque blobs, nested by name.

What writes and reads them as files is `model/`; what produces them is each view, selector and approach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tabbench.core.errors import BadData


@dataclass(frozen=True)
class Parts:
    """A fitted object taken apart into what can be saved without pickle.

    Parameters
    ----------
    values : dict[str, Any]
        Plain JSON values, no NaN.
    arrays : dict[str, ndarray]
        Numeric arrays.
    blobs : dict[str, bytes]
        A library's own text or bytes, such as a booster's JSON.
    children : dict[str, Parts]
        Fitted objects inside this one.
    """

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    children: dict[str, Parts] = field(default_factory=dict)

    def array(self, name: str, axes: Sequence[int | None], kinds: str = "f", *, is_finite: bool = True) -> np.ndarray:
        """An array of this shape (None for any length), of one of these kinds ("f" floats, "i" integers, "b" booleans).

        Raises
        ------
        BadData
            It is missing or another array: the parts come from a file that was damaged or changed.
        """
        require(name in self.arrays, f"the array {name!r} is missing")
        array = self.arrays[name]
        fits = array.ndim == len(axes) and all(wanted in (None, given) for wanted, given in zip(axes, array.shape, strict=True))
        require(fits and array.dtype.kind in kinds.replace("i", "iu"), f"the array {name!r} has a wrong shape or type")
        if is_finite and array.dtype.kind == "f":
            require(bool(np.isfinite(array).all()), f"the array {name!r} holds numbers that are not finite")
        return array

    def positions(self, name: str, axes: Sequence[int | None], end: int) -> np.ndarray:
        """An array of whole numbers from 0 to `end` - 1, which point into something of that length.

        Raises
        ------
        BadData
            It is missing, another array, or points outside.
        """
        array = self.array(name, axes, "i")
        require(array.size == 0 or bool(array.min() >= 0 and array.max() < end), f"the array {name!r} points outside")
        return array


def require(is_sound: bool, otherwise: str) -> None:
    """Refuse parts from a file that no fitted object can have had.

    Raises
    ------
    BadData
        They are not sound; `otherwise` says what is wrong.
    """
    if not is_sound:
        raise damaged(otherwise)


def damaged(what: str) -> BadData:
    """The error for parts that are not sound."""
    return BadData(f"the saved model is damaged or was changed: {what}; export it again")


def require_binary_tree(left: np.ndarray, right: np.ndarray) -> None:
    """Refuse children (nodes,) unless each node but the first is the child of exactly one node before it; -1 is none.

    Raises
    ------
    BadData
        A path could leave the tree or never end.
    """
    count = len(left)
    inner = np.flatnonzero(left != -1)
    is_whole = count > 0 and len(right) == count and np.array_equal(inner, np.flatnonzero(right != -1))
    require(is_whole, "a tree has a node with one child")
    children = np.concatenate([left[inner], right[inner]])
    is_tree = bool((children > np.concatenate([inner, inner])).all()) and np.array_equal(np.sort(children), np.arange(1, count))
    require(is_tree, "a tree's nodes don't form a tree")
