"""The largest plan of a comparison that fits into a time limit: what gives way, and in which order.

Decides by a forecast that it is given; knows no table, no cell and no clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tabbench.core.effort import LEAST_EFFORT, MOST_EFFORT, POINTS
from tabbench.execution.agenda import SPLITS_BETWEEN, by_usefulness

SPARED_EFFORT = POINTS["fast"]
"""Effort gives way down to here, then approaches, folds and sizes do: below it the loss rises steeply
(tools/bench_effort.py, docs/benchmarks.md)."""
LEAST_PLANNED_EFFORT = 0.02
"""The cheapest form of an approach; less work would hardly be cheaper."""
EFFORT_DIGITS = 2
"""A chosen effort is short enough to be typed."""


@dataclass(frozen=True)
class WorkPlan:
    """How much of a comparison is run.

    Parameters
    ----------
    effort : float
        The effort of every approach.
    approaches : tuple[str, ...]
        Names, in listing order.
    sizes : tuple[int, ...]
        Training sizes, ascending.
    splits : int
        How many splits are used, the most important first.
    """

    effort: float
    approaches: tuple[str, ...]
    sizes: tuple[int, ...]
    splits: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"effort": self.effort, "approaches": list(self.approaches), "sizes": list(self.sizes), "splits": self.splits}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> WorkPlan:
        """From `to_json`."""
        return cls(values["effort"], tuple(values["approaches"]), tuple(values["sizes"]), values["splits"])


@dataclass(frozen=True)
class Wish:
    """What would be run without a limit, and what may be given up of it.

    Parameters
    ----------
    most : WorkPlan
        The whole of it.
    least_effort, highest_effort : float
        The effort may go down to, and where all the rest fits up to; equal where it is settled.
    folds : int
        How many splits make up a repeat.
    ladder : tuple[int, ...]
        Sizes that the largest one may be replaced by, ascending.
    approaches_at : Callable[[float], Sequence[str]]
        Effort -> the approaches of a plan with it.
    expendable : tuple[frozenset[str], ...]
        Approaches that are given up together, in this order.
    cheapest : tuple[frozenset[str], ...]
        What is left out so that each family has its cheapest form left, before rows are.
    families : tuple[frozenset[str], ...]
        What is left out at last, family by family.
    """

    most: WorkPlan
    least_effort: float
    highest_effort: float
    folds: int
    ladder: tuple[int, ...]
    approaches_at: Callable[[float], Sequence[str]]
    expendable: tuple[frozenset[str], ...] = ()
    cheapest: tuple[frozenset[str], ...] = ()
    families: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class _Frame:
    """A plan whose effort is open: `without` these approaches, between two efforts."""

    sizes: tuple[int, ...]
    splits: int
    least: float
    most: float
    without: frozenset[str] = frozenset()


def largest_plan(wish: Wish, fits: Callable[[WorkPlan], bool]) -> WorkPlan:
    """The first plan in the order of sacrifice that fits, with as much effort as fits; the smallest one where none does.

    Where all that is wished for fits, only its effort grows.

    Repeats give way first, then every second size, effort, variants and second members of families, folds down to three, sizes
    but the largest and one at a tenth of it, effort once more, ensembles, folds but one, from which no approach wins, rows, and
    at last whole families.
    """
    frame = None
    for frame in _frames(wish):
        if fits(_plan(wish, frame, frame.least)):
            return _with_most_effort(wish, frame, fits)
    if frame is None:
        raise ValueError("a wish has at least one frame")
    return _plan(wish, frame, frame.least)


def _frames(wish: Wish) -> Iterator[_Frame]:
    most = wish.most
    yield _Frame(most.sizes, most.splits, most.effort, wish.highest_effort)
    frame = _Frame(most.sizes, most.splits, most.effort, most.effort)
    for splits in range(most.splits - wish.folds, 0, -wish.folds):
        frame = replace(frame, splits=splits)
        yield frame
    frame = replace(frame, sizes=every_second(frame.sizes))
    yield frame
    spared = max(wish.least_effort, min(SPARED_EFFORT, most.effort))
    frame = replace(frame, least=spared)
    yield frame
    for names in wish.expendable:
        frame = replace(frame, without=frame.without | names)
        yield frame
    if frame.splits > SPLITS_BETWEEN:
        frame = replace(frame, splits=SPLITS_BETWEEN)
        yield frame
    frame = replace(frame, sizes=largest_and_tenth(most.sizes), most=max(spared, frame.least))
    yield frame
    frame = replace(frame, least=max(wish.least_effort, min(LEAST_PLANNED_EFFORT, most.effort)))
    yield frame
    yield from _smaller_frames(wish, frame)


def _smaller_frames(wish: Wish, frame: _Frame) -> Iterator[_Frame]:
    """With the cheapest form of each family, from one split, with fewer rows, then with fewer families."""
    for names in wish.cheapest:
        frame = replace(frame, without=frame.without | names)
        yield frame
    if frame.splits > 1:
        frame = replace(frame, splits=1)
        yield frame
    for cap in [size for size in reversed(wish.ladder) if size < frame.sizes[-1]]:
        frame = replace(frame, sizes=largest_and_tenth([size for size in wish.ladder if size <= cap]))
        yield frame
    for names in wish.families:
        frame = replace(frame, without=frame.without | names)
        yield frame


def _plan(wish: Wish, frame: _Frame, effort: float) -> WorkPlan:
    names = tuple(name for name in wish.approaches_at(effort) if name not in frame.without)
    return WorkPlan(effort, names, frame.sizes, frame.splits)


def _with_most_effort(wish: Wish, frame: _Frame, fits: Callable[[WorkPlan], bool]) -> WorkPlan:
    between = [effort for effort in EFFORTS if frame.least < effort < frame.most]
    efforts = sorted({frame.least, *between, frame.most})
    low, high = 0, len(efforts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(_plan(wish, frame, efforts[middle])) else (low, middle)
    return _plan(wish, frame, efforts[low])


def _short_efforts() -> tuple[float, ...]:
    found = {float(f"{LEAST_EFFORT * 10 ** (step / 50):.{EFFORT_DIGITS}g}") for step in range(201)}
    return tuple(sorted(effort for effort in found if LEAST_EFFORT <= effort <= MOST_EFFORT))


EFFORTS = _short_efforts()
"""Efforts of two digits, about five per cent apart."""


def short_effort(effort: float) -> float:
    """The largest effort of two digits that is not above this one.

    >>> short_effort(0.2345), short_effort(1.0)
    (0.23, 1.0)
    """
    return EFFORTS[max(bisect_right(EFFORTS, effort * (1 + 1e-12)) - 1, 0)]


def every_second(sizes: Sequence[int]) -> tuple[int, ...]:
    """The largest size and every second one below it.

    >>> every_second((62, 125, 250, 500, 800))
    (62, 250, 800)
    """
    return tuple(sorted(tuple(reversed(sizes))[::2]))


def largest_and_tenth(sizes: Sequence[int]) -> tuple[int, ...]:
    """The largest size and the one nearest to a tenth of it.

    >>> largest_and_tenth((62, 125, 250, 500, 800)), largest_and_tenth((62,))
    ((62, 800), (62,))
    """
    *smaller, largest = sizes
    return (*by_usefulness(smaller, largest)[:1], largest)


def what_is_given_up(plan: WorkPlan, wish: WorkPlan, folds: int) -> tuple[str, ...]:
    """What a plan lacks of what would be run without a limit, as noun phrases.

    >>> most = WorkPlan(1.0, ("dummy", "linear", "boosting"), (100, 200, 400), 15)
    >>> what_is_given_up(WorkPlan(0.2, ("dummy", "boosting"), (100, 400), 3), most, 5)
    ('2 of 3 repeats', '2 of 5 folds', '1 of 3 sizes', 'effort (0.2 instead of 1)', 'linear')
    """
    repeats, used = -(-wish.splits // folds), -(-plan.splits // folds)
    given_up = [f"{repeats - used} of {repeats} repeats"] if used < repeats else []
    most = min(folds, wish.splits)
    if plan.splits < most:
        given_up.append(f"{most - plan.splits} of {most} folds")
    if plan.sizes and plan.sizes[-1] < wish.sizes[-1]:
        given_up.append(f"all rows beyond {plan.sizes[-1]:,}")
    elif len(plan.sizes) < len(wish.sizes):
        given_up.append(f"{len(wish.sizes) - len(plan.sizes)} of {len(wish.sizes)} sizes")
    if plan.effort < wish.effort:
        given_up.append(f"effort ({plan.effort:g} instead of {wish.effort:g})")
    return (*given_up, *(name for name in wish.approaches if name not in plan.approaches))
