"""What every registered check must keep: plain findings, the table untouched, the same answer twice, odd tables survived."""

import json

import numpy as np
import pandas as pd
import pytest

from tabbench.core.check import CHECKS, CheckedTable
from tabbench.core.finding import Finding
from tabbench.core.table import Column, Table
from tabbench.core.task import Task

every_check = pytest.mark.parametrize("check", list(CHECKS), ids=lambda check: check.name)
KINDS = ("binary", "multiclass", "regression")
ODD_NAME = 'a "b" [c] <script>'


def checked_of(kind, rows=200, seed=0):
    """Columns of every kind, with gaps, infinities left out, one all missing, one constant, one oddly named."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=rows) if kind == "regression" else rng.integers(0, 2 if kind == "binary" else 4, rows)
    has_gap = rng.random(rows) < 0.3
    text = pd.Series([f"free text {number}" for number in rng.integers(0, rows, rows)]).astype("string")
    dates = pd.Series(pd.date_range("2020-01-01", periods=rows, unit="us"))
    frame = pd.DataFrame({
        "whole": rng.integers(0, 50, rows), "gappy": np.where(has_gap, np.nan, rng.normal(size=rows)),
        "huge": rng.normal(size=rows) * 1e300, "empty": np.full(rows, np.nan), "same": np.ones(rows),
        "flag": pd.array(np.where(has_gap, None, rng.random(rows) < 0.5), dtype="boolean"),
        "level": pd.Categorical(np.where(has_gap, None, rng.choice(list("abc"), rows)), categories=list("abc")),
        "text": text.mask(has_gap), "date": dates.mask(has_gap), ODD_NAME: target * 1.0,
    })
    kinds = {"flag": "boolean", "level": "category", "text": "text", "date": "date"}
    columns = tuple(Column(name, kinds.get(name, "number")) for name in frame)
    table = Table("t", frame, columns, pd.Series(target), "y", True, np.arange(rows), np.arange(rows, dtype=np.uint64), "f")
    classes = tuple(map(str, range(0 if kind == "regression" else int(target.max()) + 1)))
    return CheckedTable(table, Task(kind, classes, "m", ("m",)), target)


@every_check
@pytest.mark.parametrize("kind", KINDS)
def test_findings_are_plain_and_the_same_twice(check, kind):
    checked = checked_of(kind)
    before = checked.table.features.copy(deep=True)
    findings = check.run(checked)
    assert findings == check.run(checked)
    pd.testing.assert_frame_equal(checked.table.features, before)
    for finding in findings:
        assert json.loads(json.dumps(finding.to_json(), allow_nan=False)) == finding.to_json()
        assert Finding.from_json(finding.to_json()) == finding
        assert Finding.from_json(finding.to_json()).remedy == finding.remedy
        assert finding.remedy is None or str(finding.remedy) in finding.cure or "(--drop)" in finding.cure
        assert (finding.code, finding.severity) in {(each.code, each.severity) for each in check.says}
        assert finding.code == finding.code.lower()
        assert finding.message and not finding.message.endswith(".") and "\n" not in finding.message
        assert finding.subject == "rows" or finding.subject in [*before, *checked.task.classes]


@every_check
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_thirty_rows_is_enough(check, kind):
    assert isinstance(check.run(checked_of(kind, rows=30)), list)


@every_check
def test_a_check_says_what_it_looks_for_and_from_where_on(check):
    assert check.summary and not check.summary.endswith(".")
    assert check.says
    for each in check.says:
        assert each.severity in ("info", "warn", "block")
        assert each.limit and not each.limit.endswith(".") and "|" not in each.limit
