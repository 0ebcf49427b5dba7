"""Which part of a run can be judged: the splits and sizes that are complete, when it was ended before everything was run.

Knows which cells have a result; no score and no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tabbench.comparison.assess import judge_run, winner_of
from tabbench.comparison.run import Run
from tabbench.core.comparison import Comparison
from tabbench.core.limits import Limited
from tabbench.core.skip import SkipKind
from tabbench.store.database import Store
from tabbench.verdict.winners import BASELINE

FEWEST_TO_COMPARE = 2
"""One approach alone answers nothing."""

Pair = tuple[str, int]
"""(approach, size)."""


def completed(run: Run, finished: Collection[str]) -> Run:
    """The run with as many splits as can be judged together, part of one repeat or whole ones; unchanged where all was run.

    All sizes are judged on the same splits. More folds are worth more than more sizes, sizes more than further repeats, and most
    of all that every family is there at the largest size. So that an approach is not lost, up to half of the splits are left out.

    Parameters
    ----------
    finished : Collection[str]
        Keys of the cells that have a result.
    """
    otherwise_absent = {(skip.approach, skip.size) for skip in run.skips if skip.kind not in (SkipKind.TIME, SkipKind.WAITING)}
    done = {pair: count for pair, count in _splits_done(run, finished).items() if pair not in otherwise_absent}
    total, folds = len(run.setup.splits.splits), run.setup.splits.folds
    counts = [total, *(count for count in range(total - 1, 0, -1) if count < folds or count % folds == 0)]
    best = _best_count(run, done, counts)
    if best == total or not done:
        return run
    splits = run.setup.splits.first(best)
    names = {split.name for split in splits.splits}
    return replace(run, setup=replace(run.setup, splits=splits),
                   planned=[cell for cell in run.planned if (cell.repeat, cell.fold) in names])


def complete_pairs(run: Run, finished: Collection[str]) -> set[Pair]:
    """The approaches and sizes that have all their results on the run's splits."""
    return _present(_splits_done(run, finished), len(run.setup.splits.splits))


def _splits_done(run: Run, finished: Collection[str]) -> dict[Pair, int]:
    """On how many splits, counted from the most important one without a gap, a pair has its results."""
    found: dict[Pair, set[tuple[int, int]]] = defaultdict(set)
    for cell in run.planned:
        if cell.key in finished:
            found[cell.approach, cell.size].add((cell.repeat, cell.fold))
    order = [split.name for split in run.setup.splits.by_importance]
    return {pair: next((place for place, name in enumerate(order) if name not in names), len(order))
            for pair, names in found.items()}


def _present(done: Mapping[Pair, int], count: int) -> set[Pair]:
    return {pair for pair, splits in done.items() if splits >= count}


def _best_count(run: Run, done: Mapping[Pair, int], counts: Sequence[int]) -> int:
    """The number of splits that is worth most, or as little as half of it where that keeps an approach at the largest size."""
    worth = {count: _worth(run, done, count) for count in counts}
    most = max(counts, key=lambda count: worth[count])
    shown = worth[most][:2]  # families, and at which size
    near = [count for count in counts if 2 * count >= most and worth[count][:2] == shown]
    return max(near, key=lambda count: (sum(size == shown[1] for _, size in _present(done, count)), worth[count]))


def _worth(run: Run, done: Mapping[Pair, int], count: int) -> tuple[int, int, int, int, int]:
    """What a number of splits would show, the most important first."""
    present, families = _present(done, count), {entry.name: entry.family for entry in run.entries}
    at: dict[int, set[str]] = defaultdict(set)
    for name, size in present:
        at[size].add(families[name])
    most = max((len(found) for found in at.values()), default=0)
    headline = max((size for size, found in at.items() if len(found) == most), default=0)
    return most, headline, min(count, run.setup.splits.folds), len(present), count


def leading(run: Run, store: Store) -> str | None:
    """The approach that `judged` would have the winner of, at this moment; None where nothing but the baseline is complete."""
    finished = store.finished()
    part, families = completed(run, finished), {entry.name: entry.family for entry in run.entries}
    if all(families[name] == BASELINE for name, _ in complete_pairs(part, finished)):
        return None
    return winner_of(part, store)


def judged(run: Run, store: Store) -> Comparison:
    """The comparison that the store's results support, on the splits that can be judged together; else by the first look."""
    finished = store.finished()
    part = completed(run, finished)
    families = {entry.name: entry.family for entry in run.entries}
    if all(families[name] == BASELINE for name, _ in complete_pairs(part, finished)):
        return judge_run(_first_look(run, store, finished) or part, store)
    return judge_run(part, store)


def _first_look(run: Run, store: Store, finished: Collection[str]) -> Run | None:
    """What little the first look can say, where nothing else was finished; None where it was not finished either."""
    cells = [cell for cell in store.cells(store.recall("first_look", [])) if cell.key in finished]
    names = {cell.approach for cell in cells}
    if len(names) < FEWEST_TO_COMPARE:
        return None
    limited = Limited(("everything but a first look with little work",), None if run.limited is None else run.limited.seconds,
                      run.limited is None or run.limited.is_interrupted)
    sizes = tuple(sorted({cell.size for cell in cells}))
    return replace(run, setup=replace(run.setup, splits=run.setup.splits.first(1)), planned=cells, sizes=sizes, limited=limited)
