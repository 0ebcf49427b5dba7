"""Two results of suites beside each other: which conditions, scores and ratings differ, and whether that is more than noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.suite_result import SuiteResult
from tabbench.core.two_suites import TwoSuites
from tabbench.options import ALPHA
from tabbench.suite.over_tables import sources_of
from tabbench.verdict.across.two_suites import TwoLosses, compare_approaches, compare_cells
from tabbench.wording.two_suites import differs, only_in, other_content, two_suites_sentence

_KEY = ["repeat", "fold"]


def compare_suites(first: SuiteResult, second: SuiteResult, *, names: tuple[str, str] = ("the first", "the second"),
                   margin: float = 1.0, seed: int = 0) -> TwoSuites:
    """Compare two runs of a suite, or any two suites with tables and approaches in common.

    Parameters
    ----------
    first, second : SuiteResult
        The two results.
    names : tuple[str, str], default ("the first", "the second")
        What to call them.
    margin : float, default 1.0
        Largest difference that counts as practically equal, in units of each table's default margin.
    seed : int, default 0
        Seed of the bootstrap and of the posterior draws.

    Returns
    -------
    differences : TwoSuites
        The answer in words and the frames behind it.

    Notes
    -----
    A table is compared at the largest size that both runs have, on the splits that both have if these hold the same rows.
    """
    found = [each for table in _common_tables(first, second) for each in _of_table(first, second, table)]
    cells, approaches = compare_cells(found, ALPHA), compare_approaches(found, margin, ALPHA, seed)
    return TwoSuites(*names, two_suites_sentence(approaches, cells, *names), {"margin": margin, "alpha": ALPHA, "seed": seed},
                     tuple(_conditions(first, second, names)), approaches, cells)


def _common_tables(first: SuiteResult, second: SuiteResult) -> list[str]:
    prints = _prints(second)
    return [name for name, fingerprint in _prints(first).items() if prints.get(name) == fingerprint]


def _prints(result: SuiteResult) -> dict[str, str]:
    return dict(zip(result.finished["name"], result.finished["fingerprint"], strict=True))


def _of_table(first: SuiteResult, second: SuiteResult, table: str) -> list[TwoLosses]:
    about, splits = first.tables.set_index("name").loc[table], _common_splits(first, second, table)
    source = sources_of(first.tables)[table]
    scores = [each.scores[each.scores["table"] == table] for each in (first, second)]
    sizes = set(scores[0]["size"]) & set(scores[1]["size"])
    if not sizes or about["metric"] != second.tables.set_index("name").loc[table]["metric"]:
        return []
    here = [each[each["size"] == max(sizes)] for each in scores]
    names = [name for name in dict.fromkeys(here[0]["approach"]) if name in set(here[1]["approach"])
             and first.families[name] != "baseline"]
    found = (_of_approach(here[0][here[0]["approach"] == name], here[1][here[1]["approach"] == name], splits, about, source, name)
             for name in names)
    return [each for each in found if each is not None]


def _common_splits(first: SuiteResult, second: SuiteResult, table: str) -> pd.DataFrame:
    """The splits of a table that both runs have; none if any of them holds other rows in the other run."""
    old, new = (each.splits[each.splits["table"] == table] for each in (first, second))
    common = old.merge(new[[*_KEY, "fingerprint"]], on=_KEY, suffixes=("", "_new"))
    return common if (common["fingerprint"] == common["fingerprint_new"]).all() else common[:0]


def _of_approach(old: pd.DataFrame, new: pd.DataFrame, splits: pd.DataFrame, about: Any, source: str, name: str
                 ) -> TwoLosses | None:
    """Losses in margins, split by split if there are `splits` that both have; None where the metric is defined in none."""
    is_paired, scores = len(splits) > 0, (old["score"].dropna(), new["score"].dropna())
    if is_paired:
        both = splits[_KEY].merge(old, on=_KEY).merge(new, on=_KEY, suffixes=("_old", "_new")).dropna()
        scores = both["score_old"], both["score_new"]
    if not all(len(each) for each in scores):
        return None
    unit = (1.0 if about["direction"] == "lower" else -1.0) / about["margin"]
    test_ratio = float((splits["test_rows"] / splits["training_rows"]).mean())
    losses = [each.to_numpy(dtype=np.float64) * unit for each in scores]
    return TwoLosses(str(about.name), source, name, int(old["size"].iloc[0]), float(scores[0].mean()),
                     float(scores[1].mean()), losses[0], losses[1], is_paired, test_ratio)


def _conditions(first: SuiteResult, second: SuiteResult, names: tuple[str, str]) -> list[str]:
    """How the two were run differently."""
    found = []
    for kind, old, new in (("table", set(_prints(first)), set(_prints(second))),
                           ("approach", set(first.families), set(second.families))):
        found += [only_in(kind, sorted(more), where) for more, where in ((old - new, names[0]), (new - old, names[1])) if more]
    other = sorted(set(_prints(first)) & set(_prints(second)) - set(_common_tables(first, second)))
    found += [other_content(other)] if other else []
    for what, before, after in _versions(first, second):
        found += [differs(f"{what} {key}", (before.get(key), after.get(key)), names)
                  for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    return found + _of_tables(first, second, names)


def _versions(first: SuiteResult, second: SuiteResult) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Versions of libraries and of approaches that both have: what, and its values in both."""
    both = set(first.families) & set(second.families)
    old, new = ({row["name"]: row["version"] for row in each.approaches.to_dict("records") if row["name"] in both}
                for each in (first, second))
    return [("version of", first.protocol["versions"], second.protocol["versions"]), ("version of the approach", old, new)]


def _of_tables(first: SuiteResult, second: SuiteResult, names: tuple[str, str]) -> list[str]:
    """Efforts, numbers of splits and seeds that differ, with the tables on which they do so."""
    tables, found = _common_tables(first, second), []
    old, new = (each.tables.set_index("name").loc[tables] for each in (first, second))
    for column in ("effort", "splits", "seed"):
        changes = pd.DataFrame({"old": old[column], "new": new[column]})
        for values, part in changes[changes["old"] != changes["new"]].groupby(["old", "new"]):
            found.append(differs(column, values, names, list(part.index)))
    return found
