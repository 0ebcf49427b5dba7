"""Tables of many columns are read in blocks: what is read of a column is what is read of it in a narrow table."""

import numpy as np
import pandas as pd
import pytest

from tabbench.comparison.check import check
from tabbench.options import Options
from tabbench.reading.reading import read_table
from tabbench.store.setups import load_setup, save_setup

ROWS, PLAIN = 40, 400


@pytest.fixture(scope="module")
def wide():
    """Plain columns, with odd ones among them, of which some look plain at first."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"x{place}": np.round(rng.normal(size=ROWS), 3) for place in range(PLAIN)})
    table["whole"], table["whole with gaps"] = rng.integers(0, 9, ROWS), pd.Series(rng.integers(0, 99, ROWS)).where(
        rng.random(ROWS) < 0.5)
    table["infinite"] = np.where(np.arange(ROWS) == 7, np.inf, rng.normal(size=ROWS))
    table["word at the end"] = [*map(str, rng.normal(size=ROWS - 1)), "unknown"]
    table["long"] = [9007199254740993 + number for number in range(ROWS)]
    table["label"] = rng.choice(["a", "b"], ROWS)
    table["copy"], table["float of a count"] = table["x3"], table["whole"] + 0.0
    table["y"] = rng.choice(["p", "q"], ROWS)
    return table[rng.permutation(table.columns)]


def test_a_column_is_read_as_in_a_narrow_table(tmp_path, wide):
    odd = [name for name in wide if not name.startswith("x")] + ["x3", "x4"]
    wide.to_csv(tmp_path / "t.csv", index=False)
    wide[[name for name in wide if name in odd]].to_csv(tmp_path / "n.csv", index=False)
    many, few = read_table(tmp_path / "t.csv", "y"), read_table(tmp_path / "n.csv", "y")
    by_name = {column.name: column for column in many.columns}
    assert [by_name[column.name] for column in few.columns] == list(few.columns)
    pd.testing.assert_frame_equal(many.features[list(few.features)], few.features)
    readings = {each.name: each for each in many.columns_read}
    for expected in few.columns_read:
        assert readings[expected.name].kind == expected.kind
        assert readings[expected.name].note == expected.note
        assert readings[expected.name].histogram == expected.histogram
    assert {finding.code for finding in few.findings} == {finding.code for finding in many.findings}


def test_a_wide_setup_comes_back_as_it_was(tmp_path, wide):
    setup = check(wide, Options(target="y").checked()).prepared.setup
    save_setup(setup, tmp_path)
    pd.testing.assert_frame_equal(load_setup(tmp_path).table.features, setup.table.features)


def test_many_findings_of_a_kind_and_many_columns_are_a_few_lines(wide):
    copies = pd.DataFrame({f"again {number}": wide[f"x{number}"] for number in range(6)})
    found = check(pd.concat([wide, copies], axis=1), Options(target="y").checked())
    told = [line for line in found.as_text().splitlines() if "copied-column" in line]
    assert len(told) == 1
    assert "8 findings of this kind: " in told[0]
    assert len(found.as_text().splitlines()) < 60
    assert len(found.prepared.setup.table.columns_read) == wide.shape[1] + 6


@pytest.mark.parametrize("cells", [["red", "blue"], ["1,5", "2,25"], ["2024-01-31", "2024-02-01"]],
                         ids=["labels", "commas", "dates"])
def test_a_wide_table_without_plain_numbers(tmp_path, cells):
    table = pd.DataFrame({f"c{place}": np.random.default_rng(place).choice(cells, ROWS) for place in range(125)})
    table["y"] = np.where(np.arange(ROWS) % 2, "p", "q")
    table.to_csv(tmp_path / "t.csv", index=False, sep=";")
    narrow = table[["c1", "c2", "y"]]
    narrow.to_csv(tmp_path / "n.csv", index=False, sep=";")
    found, expected = (read_table(tmp_path / name, "y").features[["c1", "c2"]] for name in ("t.csv", "n.csv"))
    pd.testing.assert_frame_equal(found, expected)


def test_dates_in_rows_that_no_sample_sees(tmp_path):
    rows = 24_000
    row = np.arange(rows)
    table = pd.DataFrame({"day": np.where(row % 2, "2024-01-31", ""), "x": row % 7, "y": row % 3})
    table.to_csv(tmp_path / "t.csv", index=False)
    day = next(each for each in read_table(tmp_path / "t.csv", "y").columns_read if each.name == "day")
    assert (day.kind, day.histogram) == ("date", ())
