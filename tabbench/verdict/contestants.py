"""The few approaches that are followed beyond the verdict, between which a user chooses. Decides nothing."""

from __future__ import annotations

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.winners import BASELINE

MOST_CONTESTANTS = 6
"""Approaches that are followed: the representatives first, then the best of the others."""


def contestants(evidence: LossEvidence) -> list[str]:
    """The approaches that are followed, in listing order: representatives, the best of each family, the user's own, no constant.

    Where that is a single approach, the next best joins it, so that there is a pair.
    """
    last = evidence.sizes[-1]
    ranked = sorted((name for name in evidence.approaches if evidence.families[name] != BASELINE),
                    key=lambda name: (name not in evidence.present(last),
                                      evidence.mean(name, last) if name in evidence.present(last) else 0.0))
    best_of: dict[str, str] = {}
    for name in ranked:
        best_of.setdefault(evidence.families[name], name)
    wanted = [name for name in ranked if name in evidence.representatives]
    wanted += [name for name in ranked if name in best_of.values() or evidence.families[name] == "own"]
    kept = list(dict.fromkeys(wanted))[:MOST_CONTESTANTS]
    chosen = set(kept if len(kept) > 1 else [*kept, *(name for name in ranked if name not in kept)][:2])
    return [name for name in evidence.approaches if name in chosen]
