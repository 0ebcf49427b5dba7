"""False claims on tables as people have them, where nobody is better at the full size: a line a table and number of splits.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibrate_people.py --runs 200

Nothing is kept; two hundred runs of all tables take some minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from calibration_people import LIMITED_FULL, LIMITED_HEADLINE, PEOPLE, RACE
from calibration_runs import Series, designs, draw, evidence_of, first_splits, fit

from tabbench.core.split import SplitPlan
from tabbench.verdict import simultaneous
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.judge import decide_pairs, headline_size
from tabbench.verdict.racing import futile_approaches
from tabbench.verdict.winners import BASELINE

HEAD = """
## Tables as people have them

On these nobody is better at the full size, though approaches are not always alike: least squares on 5 and on all 20 columns is
equally good after 496 rows, in closed form whatever the noise. All have the full size and half of it; classes are judged by log
loss, the others by RMSE. Counted are runs in which somebody is said to be better at the full size, and materially better, of
{runs}; in bold where that lies above 5 % by more than two standard errors. The last column counts claims of equality, which
are true. It is measured anew, in some minutes on one core, by

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibrate_people.py --runs {runs}

"""
LEVEL = 0.05
DRAWS = 4_000
"""Of the farthest t: a tenth of a comparison's own, whose error averages out over the runs."""


@dataclass(frozen=True)
class Said:
    """What a judge said at the full size of one table on which nobody is better."""

    is_false_winner: bool
    is_material: bool
    pairs: int
    equal: int


def said_of(evidence: LossEvidence, stopped: Sequence[tuple[str, int]] = (), among: Sequence[str] = (), size: int = 0) -> Said:
    """Every claim that one is better is false, and every claim of equality true; `among` are the equals, if not all are. Looks at
    the largest size, unless another is asked for."""
    pairs = decide_pairs(evidence, stopped=stopped).pairs
    is_null = pairs["size"] == (size or max(evidence.sizes))
    if among:
        is_null &= pairs["first"].isin(among) & pairs["second"].isin(among)
    decision = pairs.loc[is_null, "decision"]
    claims = decision.str.startswith(("first", "second"))
    is_material = decision.str.endswith("materially")
    return Said(bool(claims.any()), bool(is_material.any()), len(decision), int((decision == "equal").sum()))


def said_after_race(evidence: LossEvidence) -> Said:
    """What is said of the first two where a race has stopped some of the others at smaller sizes; the last one is a constant."""
    families = dict(evidence.families) | {evidence.approaches[-1]: BASELINE}
    raced, stopped = replace(evidence, families=families), list[tuple[str, int]]()
    for size in evidence.sizes[:-1]:
        so_far = replace(raced, sizes=tuple(each for each in raced.sizes if each <= size))
        gone = [(name, each) for name in futile_approaches(so_far, full_size=evidence.sizes[-1]) for each in evidence.sizes
                if each > size]
        raced = replace(raced, loss={cell: loss for cell, loss in raced.loss.items() if cell not in gone})
        stopped += gone
    return said_of(raced, stopped, among=evidence.approaches[:2])


def said_of_limited(evidence: LossEvidence, at_headline: bool) -> Said:
    """What is said where all but the first two were too dear for the two largest sizes."""
    dear = [(name, size) for name in evidence.approaches[2:] for size in evidence.sizes[-2:]]
    limited = replace(evidence, **{field: {cell: each for cell, each in getattr(evidence, field).items() if cell not in dear}
                                   for field in ("loss", "row_loss", "imputed")})
    return said_of(limited, size=headline_size(limited) if at_headline else 0)


def plans_of(name: str, whole: LossEvidence, plan: SplitPlan) -> list[LossEvidence]:
    """All splits, those of the first repeat, the very first; under a limit some folds of the first repeat, too."""
    found = designs(whole, plan)
    return [*found[:2], first_splits(whole, plan, 3), *found[2:]] if name in {LIMITED_FULL, LIMITED_HEADLINE} else found


def runs_of(name: str, runs: int) -> dict[int, list[Said]]:
    """Number of splits -> what was said in each run."""
    task = PEOPLE[name].tasks[0]
    series, metric = Series(name, "own", task), "rmse" if task == "regression" else "log_loss"
    found: dict[int, list[Said]] = {}
    for number in range(runs):
        drawn = draw(series, number)
        whole = evidence_of(drawn, fit(series, number), metric)
        for evidence in plans_of(name, whole, drawn.question.plan):
            said = said_in(name, evidence)
            found.setdefault(evidence.n_splits, []).append(said)
    return found


def said_in(name: str, evidence: LossEvidence) -> Said:
    """What is said at the full size, after a race or under a limit where the table is about that."""
    if name == RACE:
        return said_after_race(evidence)
    return said_of_limited(evidence, name == LIMITED_HEADLINE) if name in {LIMITED_FULL, LIMITED_HEADLINE} else said_of(evidence)


def rate(count: int, of: int) -> str:
    """A count and its rate, in bold where it lies above the level by more than two standard errors."""
    text = f"{count} of {of} ({100 * count / of:.1f} %)"
    return f"**{text}**" if count / of > LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / of) else text


def lines(names: list[str], runs: int) -> Iterator[str]:
    """Rows of a Markdown table."""
    yield "| | table | splits | runs with a false winner | materially | pairs said to be equal |"
    yield "|---|---|---|---|---|---|"
    for name in names:
        for splits, found in runs_of(name, runs).items():
            wrong, material = (sum(getattr(each, key) for each in found) for key in ("is_false_winner", "is_material"))
            yield (f"| {name} | {PEOPLE[name].title} | {splits} | {rate(wrong, runs)} | {rate(material, runs)} | "
                   f"{sum(each.equal for each in found)} of {sum(each.pairs for each in found)} |")


def measure_people(runs: int) -> str:
    """The section of docs/calibration.md; quantiles are drawn less finely meanwhile."""
    draws, simultaneous.DRAWS = simultaneous.DRAWS, DRAWS
    try:
        return HEAD.format(runs=runs) + "\n".join(lines(list(PEOPLE), runs)) + "\n"
    finally:
        simultaneous.DRAWS = draws


def main() -> None:
    """Print the table as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", default="", help="these tables, separated by commas")
    options = parser.parse_args()
    simultaneous.DRAWS = DRAWS
    for line in lines([name for name in PEOPLE if not options.only or name in options.only.split(",")], options.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
