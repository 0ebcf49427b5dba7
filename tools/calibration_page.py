"""The published table of error rates. Knows records and names alone."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from calibration_rates import Record, rates
from calibration_runs import Series
from calibration_tables import GENERATORS
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

LEVEL, WRONG_SIDE, SLACK = 0.05, 0.01, 2.0
"""False winners, wrong sides, and the binomial standard errors that a measured rate may lie above its level."""
UNNAMED = ("G9-", "G11-")
"""What happens where it is not declared that rows belong together: shown, without a nominal level."""
SPLITS = (15, 5, 1)
"""Of five folds in three repeats, of one repeat, and the very first."""
LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "torch")

HEAD = """# Calibration: how often the verdict is wrong

The error rates of the verdict, measured on simulated tables with a known truth, with the same splits, scores and judge as
in a comparison. `make calibrate` measures them anew (some hours on two cores, about 3 GB in `calibration/`; it continues where
it was stopped); the tests do so in a minute on a few hundred runs.

{provenance}

**How to read it.** Rates are percentages of runs ± their standard error. *full*: a winner is declared at the full size
though no approach is better, or the wrong one is. *sizes*: the same at any smaller size. *naive t* and *Wilcoxon*: how often the
paired test that is usually run on the scores of all splits finds a difference at the full size at its 5 % level. The nominal
level is 5 % for *full* and for *sizes* each. A rate above its level by more than two standard errors is in bold.
"""

NULLS = """## Type I error: no approach is better

The approaches see columns that are exchangeable (mirror twins), so that none can be better than another at any size.

{decided}

| table | learner | metric | runs | full, 15 splits | sizes | full, 5 | sizes | full, 1 | sizes | naive t | Wilcoxon |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""

CROSSINGS = """
## One approach is better

The truth at every size is known by brute force (two hundred training sets, five thousand test rows each). *full*, *sizes*: the
wrong one is said to be better; nominally at most 1 %. *outside*: some interval over the sizes misses the truth; 5 %. *set holds
n\\**: the reported set of sizes holds the true crossing; at least 95 %. *bounded*: the set has two ends; *width*: their ratio,
the median. *equal*, *material*: said to be practically equal, or materially better, though it is not; 5 %.

| table | learner | metric | splits | runs | full | sizes | outside | set holds n* | bounded | width | equal | material |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def write_page(path: Path, found: Mapping[tuple[Series, str], Sequence[Record]], more: str = "") -> None:
    """Write the page from all records; `more` are further sections."""
    names = [name for name in GENERATORS if any(series.generator == name for series, _ in found)]
    ordered = sorted(found.items(), key=lambda each: (names.index(each[0][0].generator), each[0][0].learner, each[0][0].task))
    of_nulls: dict[tuple[Series, str], dict[int, Known]] = {}
    others = []
    for (series, design), records in ordered:
        metric, splits = design.split()
        if series.of.is_null:
            of_nulls.setdefault((series, metric), {})[int(splits)] = rates(records)
        elif int(splits) > 1:
            others.append(_other_row(series, design, records))
    nulls = [_null_row(*key, designs) for key, designs in of_nulls.items()]
    of_null = NULLS.format(decided=_decided(of_nulls)) + "\n".join(nulls) + "\n" + _legend(names)
    path.write_text(HEAD.format(provenance=_provenance()) + "\n" + of_null + CROSSINGS + "\n".join(others) + "\n" + more,
                    encoding="utf-8")


Known = Mapping[str, tuple[float, float, int]]
FALSE_WINNERS = ("false_at_full", "false_over_sizes")


def _null_row(series: Series, metric: str, designs: Mapping[int, Known]) -> str:
    level = None if series.generator in UNNAMED else LEVEL
    all_splits = designs[max(designs)]
    cells = [_percent(designs.get(splits, {}), name, level) for splits in SPLITS for name in FALSE_WINNERS]
    cells += [_percent(all_splits, "naive_t"), _percent(all_splits, "naive_wilcoxon")]
    return f"| {series.generator} | {series.learner} | {metric} | {all_splits['false_at_full'][2]:,} | {' | '.join(cells)} |"


def _decided(nulls: Mapping[tuple[Series, str], Mapping[int, Known]]) -> str:
    """What all rates with a nominal level together say of it."""
    promised = [known[name] for (series, _), designs in nulls.items() if series.generator not in UNNAMED
                for known in designs.values() for name in FALSE_WINNERS if name in known]
    found = np.array([rate for rate, _, _ in promised])
    above = sum(rate > LEVEL + _slack(LEVEL, runs) for rate, _, runs in promised)
    p_values = [binomtest(round(rate * runs), runs, LEVEL, alternative="greater").pvalue for rate, _, runs in promised]
    by_holm = int(multipletests(p_values, LEVEL, method="holm")[0].sum()) if p_values else 0
    return (f"Of {len(found)} rates with a nominal level the mean is {100 * found.mean():.1f} % and the highest "
            f"{100 * found.max():.1f} %. "
            f"{above or 'None'} {'is' if above < 2 else 'are'} above 5 % by more than two standard errors, as some would be by "
            f"chance; by Holm's procedure over all it is {by_holm or 'none'}.")


def _other_row(series: Series, design: str, records: Sequence[Record]) -> str:
    known, (metric, splits) = rates(records), design.split()
    width = f"{known['width_ratio'][0]:.1f}" if "width_ratio" in known else "–"
    cells = [_percent(known, "false_at_full", WRONG_SIDE), _percent(known, "false_over_sizes", WRONG_SIDE),
             _percent(known, "outside", LEVEL), _percent(known, "covered", 1 - LEVEL, is_least=True), _percent(known, "bounded"),
             width, _percent(known, "false_equal", LEVEL), _percent(known, "false_material", LEVEL)]
    return f"| {series.generator} | {series.learner} | {metric} | {splits} | {len(records):,} | {' | '.join(cells)} |"


def _percent(known: Known, name: str, level: float | None = None, *, is_least: bool = False) -> str:
    if name not in known:
        return "–"
    rate, error, runs = known[name]
    text = f"{100 * rate:.1f} ± {100 * error:.1f}"
    if level is None:
        return text
    is_missed = rate < level - _slack(level, runs) if is_least else rate > level + _slack(level, runs)
    return f"**{text}**" if is_missed else text


def _slack(level: float, runs: int) -> float:
    return float(SLACK * (level * (1 - level) / runs) ** 0.5)


def _legend(names: Sequence[str]) -> str:
    told = [f"{name} {GENERATORS[name].title} ({GENERATORS[name].rows:,} rows)" for name in names]
    unnamed = (" With a minus it is not declared that rows belong together: shown without a nominal level; the data checks look "
               "for it.")
    return f"\nTables: {'; '.join(told)}.{unnamed if any(name in UNNAMED for name in names) else ''}\n"


def _provenance() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"Measured on {datetime.datetime.now(datetime.UTC).date()} with Python {platform.python_version()}, {libraries}."
