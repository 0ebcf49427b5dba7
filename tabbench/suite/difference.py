"""Two results of suites beside each other: which conditions, scores and ratings differ, and whether that is more than noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.suite_result import SuiteResult
from tabbench.core.two_suites import TwoSuites
from tabbench.options import ALPHA
from tabbench.verdict.across.two_suites import TwoLosses, compare_approaches, compare_cells
from tabbench.wording.two_suites import differs, only_in, other_content, two_suites_sentence

SAME_BASELINE = 1e-9
"""Two runs have the same splits where the constant prediction scores the same on each up to this share."""

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
    A table is compared at the largest size that both runs have. Splits are paired where the constant prediction scores the same on
    each, which only the same rows do.
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
    about = first.tables.set_index("name").loc[table]
    scores = [each.scores[each.scores["table"] == table] for each in (first, second)]
    sizes = set(scores[0]["size"]) & set(scores[1]["size"])
    if not sizes or about["metric"] != second.tables.set_index("name").loc[table]["metric"]:
        return []
    here = [each[each["size"] == max(sizes)] for each in scores]
    names = [name for name in dict.fromkeys(here[0]["approach"]) if name in set(here[1]["approach"])
             and first.families[name] != "baseline"]
    found = (_of_approach(here[0][here[0]["approach"] == name], here[1][here[1]["approach"] == name], about, name, max(sizes))
             for name in names)
    return [each for each in found if each is not None]


def _of_approach(old: pd.DataFrame, new: pd.DataFrame, about: Any, name: str, size: int) -> TwoLosses | None:
    common = old.merge(new, on=_KEY, suffixes=("_old", "_new")).sort_values(_KEY)
    is_paired = len(common) > 0 and bool(np.allclose(common["baseline_score_old"], common["baseline_score_new"], rtol=SAME_BASELINE,
                                                     atol=0, equal_nan=True))
    scores = [common["score_old"], common["score_new"]] if is_paired else [old["score"], new["score"]]
    defined = np.isfinite(scores[0]) & np.isfinite(scores[1]) if is_paired else None
    kept = [each[defined if defined is not None else np.isfinite(each)].to_numpy(dtype=np.float64) for each in scores]
    if not all(len(each) for each in kept):
        return None
    unit = (1.0 if about["direction"] == "lower" else -1.0) / about["margin"]
    folds = int(about["folds"])
    return TwoLosses(str(about.name), str(about["fingerprint"]), name, int(size), float(kept[0].mean()), float(kept[1].mean()),
                     kept[0] * unit, kept[1] * unit, is_paired, 1 / (folds - 1) if folds > 1 else float("nan"))


def _conditions(first: SuiteResult, second: SuiteResult, names: tuple[str, str]) -> list[str]:
    """How the two were run differently."""
    found = []
    parts = (("table", *(set(_prints(each)) for each in (first, second))),
             ("approach", *(set(each.families) for each in (first, second))))
    for kind, old, new in parts:
        found += [only_in(kind, sorted(more), where) for more, where in ((old - new, names[0]), (new - old, names[1])) if more]
    other = sorted(set(_prints(first)) & set(_prints(second)) - set(_common_tables(first, second)))
    found += [other_content(other)] if other else []
    for what, old_values, new_values in _settings(first, second):
        found += [differs(f"{what}{key}", old_values.get(key), new_values.get(key))
                  for key in dict.fromkeys([*old_values, *new_values]) if old_values.get(key) != new_values.get(key)]
    return found


def _settings(first: SuiteResult, second: SuiteResult) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Versions of libraries and approaches, and efforts, splits and seeds: what, and its values in both."""
    both = set(first.families) & set(second.families)
    tables = _common_tables(first, second)
    found = [("version of ", *(dict(each.protocol.get("versions", {})) for each in (first, second))),
             ("version of approach ", *({row["name"]: row["version"] for row in each.approaches.to_dict("records")
                                         if row["name"] in both} for each in (first, second)))]
    for column in ("effort", "splits", "seed"):
        found.append((f"{column} on ", *(each.tables.set_index("name").loc[tables, column].to_dict() for each in (first, second))))
    return found
