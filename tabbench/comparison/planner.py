"""How much of a comparison is run: all that is wished for, or the largest plan that ends within a time limit.

Forecasts plans; fits nothing and writes nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tabbench.approaches.composed import find_approach
from tabbench.comparison.expendable import ensembles, expendable, families
from tabbench.comparison.plan import Contestants, choose_contestants, missing_packages, plan_batches
from tabbench.comparison.time_plan import Wish, WorkPlan, largest_and_tenth, largest_plan, short_effort
from tabbench.core.approach import BASELINE, Workload
from tabbench.core.cell import Batch
from tabbench.core.effort import LEAST_EFFORT, POINTS
from tabbench.core.setup import Setup
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import Prices, members
from tabbench.costs.prior import PriorCosts
from tabbench.execution.agenda import Agenda
from tabbench.execution.run import shared_fits
from tabbench.options import Options, default_approaches

FIRST_LOOK_EFFORT = 0.03
"""One cell of each family with so little work, at the largest size, shows a first leader and how fast this machine is."""
FIRST_LOOK_WORTH_SECONDS = 4.0
"""Where the first split takes no longer than this, it is itself the first look."""
MOST_LOOK_SHARE, MOST_LOOK_SHARE_OF_PLAN = 0.05, 0.1
"""Of a time limit, and of what the whole plan takes: where a first look would take more, the first split has to do."""
FIRST_SPLIT_MARGIN = 1.4
"""The first split has to be done even if it takes so many times as long as expected; what comes after it may be left out."""
REFIT_FACTOR = 1.4
"""So many times the expected seconds are kept for fitting the winner. Where that is late, the first split's fit is saved."""
QUICK_SECONDS = 3.0
"""A plan that takes no longer is run even if judging it might come a little late: nothing smaller would be worth having."""
SIDE_BY_SIDE_GAIN = 1.5
"""Parts of a fit on all rows that go on at the same time, on two cores or more, are ready so many times sooner than one after the
other."""
REFIT_SHARE, REFIT_SHARE_OF_ONE_JOB, MOST_REFIT_SHARE = 0.3, 0.4, 0.5
"""The part of the time in which the winner is fitted once more, with more effort than in the comparison: with several jobs as
much gets done in less of it. At most half of it, as the winner has to be found."""


@dataclass(frozen=True, eq=False)
class Planner:
    """Forecasts plans for one table.

    Parameters
    ----------
    setup : Setup
        All splits that may be used.
    contestants : Contestants
        All approaches that may take part.
    sizes : tuple[int, ...]
        All that may be run.
    options : Options
        As checked.
    prior : PriorCosts
        What cells cost.
    jobs : int
        How many run at a time.
    device : str
        For those that can use a GPU.
    costs : CostModel
        What the cells of this run have taught; see `CostModel.at`.
    closing : Callable[[int], float]
        Seconds that judging and reporting take, by the number of cells.
    """

    setup: Setup
    contestants: Contestants
    sizes: tuple[int, ...]
    options: Options
    prior: PriorCosts
    jobs: int
    device: str
    costs: CostModel
    closing: Callable[[int], float]
    _prices: dict[float, Prices] = field(default_factory=dict, init=False)
    _batches: dict[tuple[float, tuple[str, ...], tuple[int, ...]], list[Batch]] = field(default_factory=dict, init=False)

    def wish(self, effort: float | None = None) -> Wish:
        """What is wanted, and what may be given up of it; an effort that is settled stays as it is."""
        work = self.options.work if effort is None else effort
        is_open = effort is None and self.options.effort is None and self.options.preset is None
        splits = self.setup.splits
        most = WorkPlan(work, self._approaches_at(work), self.sizes, self.options.use_folds or len(splits.splits))
        return Wish(most, LEAST_EFFORT if effort is None else effort, POINTS["thorough"] if is_open else work,
                    splits.folds, self.sizes, self._approaches_at, expendable(self.contestants, self._workload()),
                    ensembles(self.contestants, self._workload()), families(self.contestants))

    def largest(self, wish: Wish, seconds_left: float) -> WorkPlan:
        """The largest plan that the forecast says will end in the seconds that are left, report and refit included."""
        return largest_plan(wish, lambda plan: self._fits(plan, seconds_left))

    def seconds(self, plan: WorkPlan) -> float:
        """Expected wall seconds of a plan's cells, judging and reporting."""
        return self._cell_seconds(plan)[1] + self.closing(self._count(plan))

    def reserve_seconds(self, plan: WorkPlan, seconds_left: float, candidates: Sequence[str] = (), leader: str | None = None
                        ) -> float:
        """What is kept free to fit the winner once more on all rows: at least as long as the costliest candidate may take.

        More than the leader can use is not kept. The candidates are by default all approaches, and each of them may lead.
        """
        if not self.options.save_winner:
            return 0.0
        names = [name for name in candidates or plan.approaches if name not in self.contestants.own and name != BASELINE]
        most_effort, leaders = max(plan.effort, POINTS["thorough"]), [leader] if leader in names else names
        least, most = (REFIT_FACTOR * max((self.refit_seconds(name, effort) for name in some), default=0.0)
                       for some, effort in ((names, plan.effort), (leaders, most_effort)))
        # Reports are written meanwhile, which is no part of closing.
        least = max(least, self.prior.machine("reporting_seconds"))
        left = max(seconds_left - self.closing(self._count(plan)), 0.0)
        return min(max(least, min(self.refit_share * left, most)), MOST_REFIT_SHARE * left)

    @property
    def refit_share(self) -> float:
        """The part of a limit that is kept for the winner's last fit, as long as not less will do."""
        return REFIT_SHARE if self.jobs > 1 else REFIT_SHARE_OF_ONE_JOB

    def batches(self, plan: WorkPlan, wish: Wish) -> list[Batch]:
        """The cells of a plan that is to be run, and of what may be added to it: all splits and sizes that are wanted."""
        contestants = self.contestants.only(plan.approaches)
        sizes = tuple(sorted({*self.sizes, *plan.sizes}))
        wanted = replace(self.setup, splits=self.setup.splits.first(max(wish.most.splits, plan.splits)))
        return self._cells(wanted, contestants, sizes, plan.effort)

    def agenda(self, plan: WorkPlan, wish: Wish) -> Agenda:
        """In which order they are run: the plan's, then what is optional."""
        splits, most = self.setup.splits, max(wish.most.splits, plan.splits)
        sizes = [size for size in self.sizes if size <= plan.sizes[-1]]
        return Agenda([split.name for split in splits.by_importance[:most]], splits.folds, sizes, planned_splits=plan.splits,
                      planned_sizes=plan.sizes, is_ascending=self.options.race)

    def first_look(self, plan: WorkPlan, seconds_left: float = math.inf) -> list[Batch]:
        """One cell of every family's representative with little work, at the largest size; none where it would save no time."""
        first, whole = self._cell_seconds(plan)
        if plan.effort <= 2 * FIRST_LOOK_EFFORT or first < FIRST_LOOK_WORTH_SECONDS:
            return []
        look = self.look_plan(plan)
        if self._cell_seconds(look)[0] > min(MOST_LOOK_SHARE * seconds_left, MOST_LOOK_SHARE_OF_PLAN * whole):
            return []
        return self._one_split(look, plan.sizes[-1:])

    def look_plan(self, plan: WorkPlan) -> WorkPlan:
        """What a first look begins: with it done, most of it is done."""
        standing = self.contestants.only(plan.approaches).representatives().values()
        # Fits that a representative reuses cost nothing beside it, and teach what each of them costs.
        chosen = {BASELINE, *(name for each in standing for name in (each.name, *members(each.settings(self._workload()))))}
        return WorkPlan(FIRST_LOOK_EFFORT, tuple(name for name in plan.approaches if name in chosen),
                        largest_and_tenth(plan.sizes), 1)

    def first_look_costs(self) -> CostModel:
        """The same knowledge, for cells of a first look."""
        return self._costs(FIRST_LOOK_EFFORT)

    def costs_of(self, plan: WorkPlan) -> CostModel:
        """The same knowledge, for cells of a plan."""
        return self._costs(plan.effort)

    def refit_steps(self, approach: str, least: float) -> list[tuple[float, float]]:
        """(effort, expected seconds) of fits of an approach on all rows, from the least effort to the most that is of use."""
        most = max(least, POINTS["thorough"])
        efforts = {short_effort(least * (most / least) ** (step / 24)) for step in range(25)} | {least}
        return [(effort, self.refit_seconds(approach, effort)) for effort in sorted(efforts) if effort >= least]

    def refit_seconds(self, approach: str, effort: float) -> float:
        """Expected seconds to fit an approach on all rows, whose parts go on side by side."""
        rows, (chosen,) = len(self.setup.table), self.contestants.only([approach]).approaches
        settings = chosen.settings(replace(self._workload(), effort=effort, rows=rows))
        plan = WorkPlan(effort, (*members(settings), approach), self.sizes, 1)
        # With cells of their own for its members, each is priced by what it has cost so far.
        cells = [replace(cell, size=rows) for batch in self._one_split(plan, self.sizes[-1:]) for cell in batch.cells]
        seconds = self._costs(effort).seconds(cells)
        is_divided = self.jobs > 1 and any(find_approach(name).divides for name in shared_fits(approach, settings))
        return seconds / SIDE_BY_SIDE_GAIN if is_divided else seconds

    # ------------------------------------------------------------------------------------------------------------------

    def _fits(self, plan: WorkPlan, seconds_left: float) -> bool:
        left = seconds_left - self.closing(self._count(plan))
        first, whole = self._cell_seconds(plan)
        if whole <= QUICK_SECONDS:  # rows are worth more than a better fit of the winner
            return whole <= left + self.closing(self._count(plan)) / 2
        left -= self.reserve_seconds(plan, seconds_left)
        return whole <= left and FIRST_SPLIT_MARGIN * first <= left

    def _cell_seconds(self, plan: WorkPlan) -> tuple[float, float]:
        """Wall seconds of the first split at the largest size, and of all cells: the longest first, to whoever is free."""
        by_size = {size: self._split_seconds(plan, size) for size in plan.sizes}
        first = _wall_seconds(by_size[plan.sizes[-1]], self.jobs)
        return first, _wall_seconds([each for size in reversed(plan.sizes) for each in by_size[size] * plan.splits], self.jobs)

    def _split_seconds(self, plan: WorkPlan, size: int) -> list[float]:
        costs = self._costs(plan.effort)
        return sorted((costs.seconds(batch.cells) for batch in self._one_split(plan, (size,))), reverse=True)

    def _one_split(self, plan: WorkPlan, sizes: Sequence[int]) -> list[Batch]:
        """Batches of the first split; kept, as dozens of plans are priced that differ in little."""
        key = (plan.effort, plan.approaches, tuple(sizes))
        if key not in self._batches:
            one = replace(self.setup, splits=self.setup.splits.first(1))
            self._batches[key] = self._cells(one, self.contestants.only(plan.approaches), sizes, plan.effort)
        return self._batches[key]

    def _cells(self, setup: Setup, contestants: Contestants, sizes: Sequence[int], effort: float) -> list[Batch]:
        left_out = {(name, size) for name in self._missing for size in sizes}
        return plan_batches(setup, contestants, sizes, effort=effort, device=self.device,
                            left_out=left_out | set(self.options.skipped_pairs))

    @cached_property
    def _missing(self) -> frozenset[str]:
        """Approaches whose packages are not installed."""
        return frozenset(skip.approach for skip in missing_packages(self.contestants, self.sizes[-1:]))

    def _count(self, plan: WorkPlan) -> int:
        return len(plan.approaches) * len(plan.sizes) * plan.splits

    def _costs(self, effort: float) -> CostModel:
        if effort not in self._prices:
            self._prices[effort] = self.contestants.prices(self.setup, effort, self.prior)
        return self.costs.at(self._prices[effort])

    def _approaches_at(self, effort: float) -> tuple[str, ...]:
        """What takes part with this effort: those that are named, else the usual ones."""
        usual = self.contestants.names if self.options.approaches else (BASELINE, *default_approaches(effort))
        return tuple(name for name in self.contestants.names if name in usual)

    def _workload(self) -> Workload:
        setup = self.setup
        return Workload(self.options.work, setup.splits.full_size, len(setup.table.columns), setup.task.n_classes)


def all_contestants(options: Options) -> Contestants:
    """All approaches that may take part: where no effort is given, those of the highest effort that a limit may have chosen."""
    if options.effort is not None or options.preset is not None:
        return choose_contestants(options)
    return choose_contestants(replace(options, effort=POINTS["thorough"]))


def _wall_seconds(seconds: Sequence[float], jobs: int) -> float:
    """Until the last of these has ended, each begun by whoever is free first."""
    free = [0.0] * jobs
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)
