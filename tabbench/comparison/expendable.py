"""Which approaches a comparison can do without when time is short, and in which order. Knows no clock and no cost."""

from __future__ import annotations

from tabbench.comparison.plan import Contestants
from tabbench.core.approach import BASELINE, Workload
from tabbench.core.family import kinds
from tabbench.costs.forecast import members


def expendable(contestants: Contestants, workload: Workload) -> tuple[frozenset[str], ...]:
    """What is given up first, one after the other: variants, then second members of a family.

    Never a user's own estimator. Nor a blend or a member of an ensemble: they share their fits, so that one without the others
    saves next to nothing.
    """
    standing = contestants.representatives()
    kept = {BASELINE, *contestants.own, *(each.name for each in standing.values())}
    reused = {name for each in standing.values() for name in members(each.settings(workload))}
    others = [each for each in contestants.approaches if each.name not in kept | reused and each.family != "blend"]
    variants = sorted((each for each in others if "+" in each.name), key=lambda each: -each.cost_rank)
    return tuple(frozenset({each.name}) for each in (*variants, *(each for each in others if "+" not in each.name)))


def ensembles(contestants: Contestants, workload: Workload) -> tuple[frozenset[str], ...]:
    """Blends, then of each family that is represented by an ensemble all but its cheapest member, which then stands for it."""
    blends = frozenset(each.name for each in contestants.approaches if each.family == "blend")
    ranks = {each.name: each.cost_rank for each in contestants.approaches}
    found = [blends] if blends else []
    for each in contestants.representatives().values():
        parts = sorted((name for name in members(each.settings(workload)) if name in ranks), key=ranks.__getitem__)
        if parts:
            found.append(frozenset({each.name, *parts[1:]}))
    return tuple(found)


def families(contestants: Contestants) -> tuple[frozenset[str], ...]:
    """The approaches of each family, the dearest family first; the last one stays."""
    found = [frozenset(each.name for each in contestants.approaches if each.family == family) for family in reversed(kinds())]
    return tuple(names for names in found if names)[:-1]
