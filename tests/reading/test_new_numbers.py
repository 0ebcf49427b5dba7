"""New rows mean what training meant, however they are written, or they are refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData
from tabbench.core.notation import Notation
from tabbench.core.table import Column
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows

VALUES = np.arange(1000, 5000, 50)


def read_as(folder, training, new):
    """The numbers that new cells are read as where training had the others, and the notes."""
    pd.DataFrame({"x": training, "y": VALUES[: len(training)] * 1.5}).to_csv(folder / "train.csv", index=False)
    pd.DataFrame({"x": new}).to_csv(folder / "new.csv", index=False)
    rows = read_new_rows(folder / "new.csv", read_table(folder / "train.csv", "y").columns)
    return rows.features["x"].to_numpy(dtype=float), rows.notes


KILOGRAMS = [f"{value / 8:.3f} kg" for value in VALUES]
PLAIN = [value / 8 for value in VALUES]
SHARES = [value / 8000 for value in VALUES]
CONVERTED = {
    "g": (KILOGRAMS, [f"{value * 125} g" for value in VALUES], PLAIN),
    "KG": (KILOGRAMS, [f"{value / 8:.3f}KG" for value in VALUES], PLAIN),
    "K": (PLAIN, [f"{value / 8000:.7f}K" for value in VALUES], PLAIN),
    "%": (SHARES, [f"{value / 80:.5f}%" for value in VALUES], SHARES),
    "comma": (SHARES, [f"{value / 8000:.7f}".replace(".", ",") for value in VALUES], SHARES),
    "point": ([f"{value / 8:.4f}".replace(".", ",") for value in VALUES], [f"{value / 8:.4f}" for value in VALUES], PLAIN),
    "groups": ([int(value) for value in VALUES], [f"{value:,.1f}" for value in VALUES], VALUES),
    "currency": (PLAIN, [f"${value / 8:.4f}" for value in VALUES], PLAIN),
    "zero": (KILOGRAMS, ["0"] * 3, [0, 0, 0]),
}

SAID = ("g", "K", "%", "comma", "point")


@pytest.mark.parametrize("case", CONVERTED)
def test_other_notations_of_known_meaning_are_converted(case, tmp_path):
    training, new, wanted = CONVERTED[case]
    numbers, notes = read_as(tmp_path, training, new)
    np.testing.assert_allclose(numbers, wanted, rtol=1e-12)
    assert any(new[0] in note for note in notes) == (case in SAID)


@pytest.mark.parametrize(("training", "new"), [
    (KILOGRAMS, "164286"), (KILOGRAMS, "12 m"), (KILOGRAMS, "12%"), (PLAIN, "12 kg"), (PLAIN, "12.8%"), (PLAIN, "12:30"),
    (["$5.50"] * 40 + ["$6.25"] * 40, "€5"), ([f"{value / 80:.2f}%" for value in VALUES], "0.128"),
    ([int(value) for value in VALUES], "1,234"), ([int(value) for value in VALUES], "1.234"), (PLAIN, "12 bhp")])
def test_other_notations_of_unknown_meaning_are_refused_with_column_row_and_both_spellings(training, new, tmp_path):
    with pytest.raises(BadData, match=rf"'x' holds '{new}' in row 2 of the new rows, where training had (plain num|.*like '.+')"):
        read_as(tmp_path, training, ["", new])


def test_numbers_of_a_frame_have_no_unit(tmp_path):
    pd.DataFrame({"x": KILOGRAMS, "y": VALUES}).to_csv(tmp_path / "train.csv", index=False)
    columns = read_table(tmp_path / "train.csv", "y").columns
    with pytest.raises(BadData, match="it has no unit"):
        read_new_rows(pd.DataFrame({"x": [12.5]}), columns)
    assert read_new_rows(pd.DataFrame({"x": [0.0, np.nan]}), columns).features["x"].isna().tolist() == [False, True]


def test_columns_of_an_older_model_are_read_as_ever():
    old = {"name": "x", "kind": "number", "levels": [], "date_format": None, "decimal_comma": True, "missing_code": None,
           "missing_words": []}
    column = Column.from_json(old)
    assert column == Column("x", "number", notation=Notation(",", unit=None)) and column.decimal_comma
    assert read_new_rows(pd.DataFrame({"x": ["1,5 kg", "2,25 kg"]}), [column]).features["x"].tolist() == [1.5, 2.25]
    assert Column.from_json(column.to_json()) == column


def _groups(value, thousands, decimal):
    return f"{value:,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))


WRITERS = {
    "plain": lambda value: f"{value:.2f}", "grouped": lambda value: _groups(value, ",", "."),
    "continental": lambda value: _groups(value, ".", ","), "comma": lambda value: _groups(value, "", ","),
    "blank": lambda value: _groups(value, "\u202f", ","), "Swiss": lambda value: _groups(value, "'", "."),
    "minus": lambda value: f"{value:.2f}".replace("-", "\u2212"), "exponent": lambda value: f"{value:.6e}",
    "brackets": lambda value: f"({-value:.2f})" if value < 0 else f"{value:.2f}", "plus": lambda value: f"{value:+.2f}",
}
WITH_UNIT = {"": {"": 1, "K": 1000}, "kg": {"kg": 1, "t": 1000, "g": 1 / 1000}, "min": {"min": 1, "h": 60}, "$": {"$": 1}}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_training_and_new_rows_are_read_by_the_same_rules(tmp_path_factory, data, seed):
    folder = tmp_path_factory.mktemp("rows")
    unit = data.draw(st.sampled_from(list(WITH_UNIT)))
    first, second = (data.draw(st.sampled_from(list(WRITERS))) for _ in range(2))
    scale = data.draw(st.sampled_from(list(WITH_UNIT[unit])))
    values = np.random.default_rng(seed).integers(-10**7, 10**7, 50) / 100
    factor = WITH_UNIT[unit][scale]
    new_values = np.round(values / factor, 2)
    written = [f"{WRITERS[first](value)} {unit}".strip() for value in values]
    new = [f"{WRITERS[second](value)} {scale}".strip() for value in new_values]
    pd.DataFrame({"x": written, "y": np.arange(len(values)) / 7}).to_csv(folder / "train.csv", index=False, sep="\t")
    pd.DataFrame({"x": new}).to_csv(folder / "new.csv", index=False, sep="\t")
    table = read_table(folder / "train.csv", "y")
    np.testing.assert_allclose(table.features["x"], values, rtol=1e-9, atol=1e-9)
    rows = read_new_rows(folder / "new.csv", table.columns)
    np.testing.assert_allclose(rows.features["x"], new_values * factor, rtol=1e-6)
