"""A suite's folder: which tables it has, what became of each, and the scores in their runs. Fits nothing, judges nothing."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.comparison.assess import predictions_of
from tabbench.comparison.completed import completed, judged
from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Run, on_all_splits
from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadData, BadOption
from tabbench.core.metric import METRICS
from tabbench.core.split import Split
from tabbench.core.suite_result import SUITE_COLUMNS
from tabbench.report.as_json import from_json
from tabbench.store.database import Store
from tabbench.store.folder import DATABASE, is_store
from tabbench.suite.definition import name_of
from tabbench.suite.layout import RESULT, SUITE, TABLES
from tabbench.suite.manifest import problems
from tabbench.suite.reported import is_reported
from tabbench.verdict.scoring import Question, constant_loss, margin_value, score_cell

REPORT = "report.html"


class NoResults(BadOption):
    """No table of a suite has any result yet."""


@dataclass(frozen=True, eq=False)
class GatheredTable:
    """What became of one table.

    Parameters
    ----------
    name : str
        Its name in the suite, and of its folder.
    state : str
        "finished", "partial" (some cells are still to be run, or it could not be continued and has its earlier results),
        "unusable" (its run cannot be judged) or "absent".
    reason : str
        Why it is not finished; empty if it is.
    run, comparison : Run | None, Comparison | None
        None without scores.
    margin : float
        The default margin of its metric, whatever the run's own was: the unit in which tables are compared.
    has_report : bool
        Whether its own report.html is there.
    splits, scores, cell_costs : DataFrame
        As in a `SuiteResult`.
    origin : str | None
        What the table was drawn from, where the definition says so.
    versions : Mapping[str, str]
        Of the libraries that its numbers depend on.
    """

    name: str
    state: str
    reason: str
    run: Run | None
    comparison: Comparison | None
    margin: float
    has_report: bool
    splits: pd.DataFrame
    scores: pd.DataFrame
    cell_costs: pd.DataFrame
    versions: Mapping[str, str]
    origin: str | None = None


@dataclass(frozen=True, eq=False)
class Gathered:
    """A suite's name and title, and what became of its tables, in the definition's order."""

    name: str
    title: str
    tables: tuple[GatheredTable, ...]


def gather(folder: Path) -> Gathered:
    """Read a suite's folder.

    Raises
    ------
    BadOption
        There is no suite in the folder.
    NoResults
        None of its tables has any result.
    BadData
        Its definition cannot be read.
    """
    if not (folder / TABLES).is_dir() and not (folder / SUITE).is_file():
        raise BadOption(f"{folder} is not a suite's folder (neither {SUITE} nor {TABLES}/ in it); "
                        "one is made by `tabbench suite run NAME`")
    definition, reasons = read_definition(folder / SUITE), problems(folder)
    tables = named_tables(definition, folder)
    found = tuple(replace(_table(folder / TABLES / name, reasons.get(name, "")), origin=about.get("origin"))
                  for name, about in tables.items())
    if not any(each.comparison for each in found):
        raise NoResults(f"no table of the suite in {folder} has any result yet; continue it with tabbench suite resume {folder}")
    name = str(definition.get("name", folder.resolve().name))
    return Gathered(name, str(definition.get("title") or name), found)


def named_tables(definition: Mapping[str, Any], folder: Path) -> dict[str, Mapping[str, Any]]:
    """The tables of a suite's run by name, as its definition has them: one that was taken out of it may have left its folder.

    Without a definition they are all that there are folders of.

    Raises
    ------
    BadData
        A table is not one.
    """
    if not definition.get("tables"):
        return {each.name: {} for each in sorted((folder / TABLES).glob("*")) if each.is_dir()}
    found: dict[str, Mapping[str, Any]] = {}
    for given in definition["tables"]:
        about = {"source": given} if isinstance(given, str) else given
        if not isinstance(about, dict) or not about.keys() & {"name", "source"}:
            raise BadData(f"{folder / SUITE} has a table without name and source; put the suite's definition back")
        found[str(about.get("name") or name_of(str(about["source"])))] = about
    return found


def read_definition(path: Path) -> dict[str, Any]:
    """The definition that a suite was run with; nothing where there is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path} is not TOML ({error}); put the suite's definition back") from error


def _table(folder: Path, problem: str) -> GatheredTable:
    if not is_store(folder / DATABASE):
        return _without_scores(folder.name, "absent", problem or "not run yet")
    with Store.reading(folder) as store:
        if store.recall("planned") is None:
            return _without_scores(folder.name, "absent", problem or "the run ended before its first cell")
        whole, finished = recall_run(store), store.finished()
        run = completed(whole, finished)
        scores = deciding_scores(run, store)
        if scores is None:
            return _without_scores(folder.name, "unusable", problem or "no approach has finished on every split")
        left = sum(cell.key not in finished for cell in whole.planned)
        reason = f"{left:,} of {len(whole.planned):,} cells are still to be run" if left else problem
        comparison = from_json(json.loads((folder / RESULT).read_bytes())) if is_reported(store) else judged(whole, store)
        return GatheredTable(
            folder.name, "partial" if reason else "finished", reason, run, comparison, _margin(run),
            (folder / REPORT).is_file(), _splits(folder.name, run),
            scores.assign(table=folder.name)[list(SUITE_COLUMNS["scores"])], _cell_costs(folder.name, run, store),
            store.recall("identity")["versions"])


def _without_scores(name: str, state: str, reason: str) -> GatheredTable:
    nothing = {part: pd.DataFrame(columns=list(SUITE_COLUMNS[part])) for part in ("splits", "scores", "cell_costs")}
    return GatheredTable(name, state, reason, None, None, float("nan"), has_report=False, versions={}, **nothing)


def _question(run: Run) -> Question:
    return Question(run.setup.task, run.setup.target, run.setup.splits, run.setup.table.weight)


def _margin(run: Run) -> float:
    question, metric = _question(run), METRICS.get(run.setup.task.metric)
    return margin_value(metric, None, constant_loss(question, metric))


def deciding_scores(run: Run, store: Store) -> pd.DataFrame | None:
    """The deciding metric on every split of every approach and size that is complete, beside the constant predictor's.

    A failed cell has the constant predictor's score. None where nothing is complete.
    """
    cells, finished = run.cells(), store.finished()
    splits = run.setup.splits.splits
    present = on_all_splits({place for place, cell in cells.items() if cell.key in finished}, len(splits))
    question, metric = _question(run), METRICS.get(run.setup.task.metric)
    predictions = predictions_of(store, cells, run.setup)
    baseline = {size: _constant_scores(question, metric.name, size) for size in {size for _, size in present}}
    parts = []
    for entry in run.entries:
        for size in sorted(size for name, size in present if name == entry.name):
            scored = score_cell(question, metric, predictions, entry.name, size)
            parts.append(pd.DataFrame({
                "approach": entry.name, "size": size, "repeat": [each.repeat for each in splits],
                "fold": [each.fold for each in splits], "score": scored.score, "baseline_score": baseline[size],
                "failed": scored.imputed}))
    return pd.concat(parts, ignore_index=True) if parts else None


def _constant_scores(question: Question, metric_name: str, size: int) -> np.ndarray:
    metric = METRICS.get(metric_name)
    return np.array([metric.value(question.truth(split)[0], question.constant(metric, split, size), question.truth(split)[1])
                     for split in question.plan.splits], dtype=np.float64)


def _splits(name: str, run: Run) -> pd.DataFrame:
    """Every split with a hash of its rows, by which another run's is known to be the same."""
    rows = [(name, each.repeat, each.fold, len(each.train), len(each.test), _split_fingerprint(each))
            for each in run.setup.splits.splits]
    return pd.DataFrame(rows, columns=list(SUITE_COLUMNS["splits"]))


def _split_fingerprint(split: Split) -> str:
    """Of the training rows in their order, since smaller sizes are its beginnings, and of the test rows."""
    rows = np.concatenate([split.train, [-1], split.test]).astype("<i8")
    return hashlib.sha256(rows.tobytes()).hexdigest()[:16]


def _cell_costs(name: str, run: Run, store: Store) -> pd.DataFrame:
    finished, rows = store.finished(), []
    for (approach, size, index), cell in run.cells().items():
        if cell.key not in finished:
            continue
        header, split = store.header(cell.key), run.setup.splits.splits[index]
        own = header.get("costs") or {}
        rows.append((name, approach, size, split.repeat, split.fold, header["fit_seconds"], own.get("large_us"),
                     own.get("one_row_us"), own.get("grown_mb")))
    columns = list(SUITE_COLUMNS["cell_costs"])
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[5:], "float64"))
    return frame.sort_values(columns[:5], kind="stable", ignore_index=True)
