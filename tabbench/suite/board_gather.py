"""From finished runs to the rows of a submission: every approach's score on every split. Fits and writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from tabbench.comparison.assess import predictions_of
from tabbench.comparison.completed import completed
from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Place, Run, on_all_splits
from tabbench.core.board import ROW_COLUMNS, Submission
from tabbench.core.cell import Cell, digest
from tabbench.core.errors import BadOption
from tabbench.core.metric import METRICS
from tabbench.store.database import Store
from tabbench.store.folder import require_run
from tabbench.suite.board_submission import as_rows, content_hash
from tabbench.suite.gather import named_tables, read_definition
from tabbench.suite.layout import SUITE
from tabbench.suite.verify import run_folders
from tabbench.verdict.scoring import CellScores, Question, constant_loss, margin_value, score_cell


def gather_submission(folder: Path, by: str) -> Submission:
    """All that is finished in a suite's folder or a single run's, as a submission.

    Raises
    ------
    BadOption
        There is no run in it, or nothing of it has finished.
    """
    sources, runs = _sources(folder), run_folders(folder)
    parts, tables = [], []
    for each in runs:
        given = {"source": sources.get(each.name, "")} | ({} if each == folder else {"name": each.name})
        rows, about = _table_rows(each, given)
        if rows:
            parts += rows
            tables.append(about)
    if not parts:
        raise BadOption(f"no approach has finished in {folder}; continue it with tabbench resume")
    frame = as_rows(pd.DataFrame(parts, columns=list(ROW_COLUMNS)))
    return Submission(by, content_hash(by, tables, frame), tuple(tables), frame)


def protocol_of(about: dict[str, Any]) -> str:
    """What two results must have in common to be results of the same splits by the same rules."""
    return digest([about["fingerprint"], about["metric"], about["splits"], about["seed"]])


def _table_rows(folder: Path, given: dict[str, str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with Store.reading(require_run(folder)) as store:
        run = recall_run(store)
        run = completed(run, store.finished())
        about = _about(run, store) | given
        return list(_rows(run, store, about["protocol"])), about


def _about(run: Run, store: Store) -> dict[str, Any]:
    setup, metric = run.setup, METRICS.get(run.setup.task.metric)
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    about = {
        "name": setup.table.name, "fingerprint": setup.table.fingerprint, "rows": len(setup.table),
        "columns": len(setup.table.columns), "target": setup.table.target_name, "task": setup.task.kind, "metric": metric.name,
        "split_kind": setup.splits.kind, "folds": setup.splits.folds, "repeats": setup.splits.repeats,
        "splits": setup.splits_digest, "seed": setup.seed, "full_size": setup.splits.full_size,
        "margin": float(margin_value(metric, None, constant_loss(question, metric))), "source": "",
        "versions": store.recall("identity")["versions"], "cpu": _cpu(run, store)}
    return {"protocol": protocol_of(about), **about}


def _cpu(run: Run, store: Store) -> str:
    """The CPU model of the run's cells; all of them, where it was continued on another machine."""
    finished = store.finished()
    found = {str(store.header(cell.key)["environment"].get("cpu", "")) for cell in run.planned if cell.key in finished}
    return ", ".join(sorted(found - {""}))


def _rows(run: Run, store: Store, protocol: str) -> Iterator[dict[str, Any]]:
    setup, cells, finished = run.setup, run.cells(), store.finished()
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    present = on_all_splits({place for place, cell in cells.items() if cell.key in finished}, len(setup.splits.splits))
    own = {*store.recall("own", []), *store.recall("aliases", {})}
    entries = {entry.name: entry for entry in run.entries}
    predictions = predictions_of(store, cells, setup)
    for name, size in sorted(present, key=lambda pair: (pair[1], pair[0])):
        scores = score_cell(question, METRICS.get(setup.task.metric), predictions, name, size)
        for index in range(len(setup.splits.splits)):
            place = (name, size, index)
            yield {"protocol": protocol, "approach": name, "family": entries[name].family, "cost_rank": entries[name].cost_rank,
                   "effort": run.effort, "own": name in own, **_cell_row(store, cells[place], scores, place)}


def _cell_row(store: Store, cell: Cell, scores: CellScores, place: Place) -> dict[str, Any]:
    result = store.result(cell.key)
    if result is None:
        raise BadOption(f"a result of {store.folder} is gone; verify the folder with tabbench verify")
    predictions = None if result.predictions is None else hashlib.sha256(result.predictions.tobytes()).hexdigest()
    return {"version": cell.version, "device": cell.device, "settings": json.dumps(cell.settings, sort_keys=True),
            "size": cell.size, "repeat": cell.repeat, "fold": cell.fold, "status": result.status,
            "score": float(scores.score[place[2]]), "imputed": bool(scores.imputed[place[2]]), "fit_seconds": result.fit_seconds,
            "predict_seconds": result.predict_seconds, "predictions": predictions}


def _sources(folder: Path) -> dict[str, str]:
    """Where a suite's tables come from, by name, as its definition says; nothing for a single run."""
    tables = named_tables(read_definition(folder / SUITE), folder)
    return {name: _without_folders(str(about.get("source", ""))) for name, about in tables.items()}


def _without_folders(source: str) -> str:
    """A source without the folders of a file, which are nobody else's business."""
    return Path(source).name if Path(source).is_absolute() else source
