"""A column of numbers has one notation: every cell as its writer meant it, or a word about it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData
from tabbench.core.notation import DecimalHint
from tabbench.reading.reading import read_table
from tabbench.reading.recognition import recognise
from tabbench.reading.rules import Rules

ROWS = 60
COMMA_ELSEWHERE, POINT_ELSEWHERE = DecimalHint(",", None), DecimalHint(".", None)


def column_of(cells, **options):
    repeated = [cells[row % len(cells)] for row in range(max(ROWS, len(cells)))]
    return recognise("x", pa.chunked_array([pa.array(repeated, pa.string())]), Rules(**options))


def codes_of(typed):
    return {finding.code for finding in typed.findings}


ONE_NOTATION = {
    "thousands beside short ones": (["1,234", "987", "12,345"], [1234, 987, 12345], ""),
    "Indian groups": (["12,34,567", "1,23,456", "987"], [1234567, 123456, 987], ""),
    "narrow blanks": (["1\u202f234,50", "12,00", "3\u00a0000,25"], [1234.5, 12, 3000.25], ""),
    "apostrophes": (["1'234", "22’333", "5"], [1234, 22333, 5], ""),
    "points for thousands": (["1.234.567", "12.345", "9"], [1234567, 12345, 9], ""),
    "magnitudes beside plain ones": (["1.2K", "950", "4.35M"], [1200, 950, 4350000], ""),
    "magnitudes in words": (["1.5 million", "200 thousand", "3 lakh"], [1.5e6, 2e5, 3e5], ""),
    "money": (["$1.2m", "$300k", "$5"], [1.2e6, 3e5, 5], "$"),
    "currency behind, in brackets, minus behind": (["5 USD", "(7 USD)", "1,200.50- "], [5, -7, -1200.5], "$"),
    "rupees": (["Rs.500", "Rs. 1,200", "Rs 7"], [500, 1200, 7], "₹"),
    "per cent and zero": (["5%", "12.5 %", "0"], [5, 12.5, 0], "%"),
    "typographic minus": (["\u22125", "3", "\u201312"], [-5, 3, -12], ""),
    "plus and exponent": (["+5", "1e3", "-2.5E-1"], [5, 1000, -0.25], ""),
    "fractions": (["2 1/2", "1", "¾"], [2.5, 1, 0.75], ""),
    "units that convert": (["12 kg", "500 g", "1.5kg"], [12, 0.5, 1.5], "kg"),
    "feet and inches": (["5'11\"", "6'0\"", "5'7"], [71, 72, 67], "in"),
    "hours and minutes": (["2h 50m", "2h", "25m"], [170, 120, 25], "min"),
    "halves of the day": (["6:30 PM", "12:15 AM", "12:00 pm"], [18.5, 0.25, 12], "hh:mm"),
    "a unit in no list": (["1248 CC", "998 CC", "796 CC"], [1248, 998, 796], "CC"),
    "days and hours": (["1 days 02:00:00", "0 days 01:30:00", "-1 days +12:00:00"], [26, 1.5, -12], "h"),
    "full width": (["１２", "３４"], [12, 34], ""),
    "Arabic": (["١٢٫٥", "٣"], [12.5, 3], ""),
    "miles": (["51,567 mi.", "7,400 mi."], [51567, 7400], "mi"),
    "Lakh and crore": (["8.61 Lakh", "1.04 Cr"], [861000, 10400000], ""),
    "marks": (["7056*", "6685", "1200[3]"], [7056, 6685, 1200], ""),
    "at least": (["1,000+", "50+", "0"], [1000, 50, 0], ""),
    "bounds at both ends": (["< 1 year", "1 year", "2 years", "3 years", "10+ years"], [1, 1, 2, 3, 10], "yr"),
    "gigabytes": (["256GB", "512 GB", "1TB"], [256, 512, 1000], "GB"),
    "durations of ISO 8601": (["PT2H30M", "PT45M", "P1DT6H"], [2.5, 0.75, 30], "h"),
}


@pytest.mark.parametrize("case", ONE_NOTATION)
def test_a_column_has_one_notation(case):
    cells, wanted, unit = ONE_NOTATION[case]
    typed = column_of(cells)
    assert typed.column.kind == "number"
    np.testing.assert_array_equal(typed.values[: len(cells)], wanted)
    assert typed.column.notation.unit == unit


LABELS = [["E17", "E11", "E5"], ["1/2", "3/4"], ["10–20", "20–30"], ["65+", "18-24"], ["1 2", "3 4"], ["1 234", "1234"],
          ["12°30'15\"N", "51°10'N"], ["51.5°N", "0.1°W"], ["<=50K", ">50K"], ["PC 17", "PC 18"], ["120/80", "130/85"],
          ["0x1F", "0x10"], ["1.2.3", "1.2.4"], ["1 bath", "2 baths"],
          ["<18", "18", ">20"], ["86+2", "75+1"], ["1a", "2b", "3"], ["--5", "3"]]


@pytest.mark.parametrize("cells", LABELS)
def test_what_is_no_number_stays_what_it_is(cells):
    typed = column_of(cells)
    assert typed.column.kind == "category" and set(typed.column.levels) == set(cells)
    assert codes_of(typed) <= {"alike-labels"}


@pytest.mark.parametrize(("cells", "hint", "wanted"), [
    (["1,234", "2,345"], COMMA_ELSEWHERE, [1.234, 2.345]), (["1,234", "2,345"], POINT_ELSEWHERE, [1234, 2345]),
    (["€1.234", "€987"], COMMA_ELSEWHERE, [1234, 987]), (["€1.234", "€987"], POINT_ELSEWHERE, [1.234, 987]),
    (["1,234", "0,5"], POINT_ELSEWHERE, [1.234, 0.5]), (["1,234", "1,234.5"], COMMA_ELSEWHERE, [1234, 1234.5])])
def test_what_a_column_leaves_open_its_file_decides(cells, hint, wanted):
    assert column_of(cells, hint=hint).values[:2].tolist() == wanted


def test_what_nothing_decides_is_said():
    typed = column_of(["1,234", "2,345"], hint=DecimalHint(None, ","))
    assert typed.values[0] == 1.234 and "open-notation" in codes_of(typed)


@pytest.mark.parametrize(("cells", "shown"), [
    (["12 kg", "500"], "500"), (["5%", "0.1"], "0.1"), (["$5", "€7"], "€7"), (["1.5", "2,5"], "2,5"), (["12:30", "7"], "7")])
def test_scales_that_differ_are_text_or_missing_and_refused_as_a_target(cells, shown):
    mixed = column_of(cells)
    assert mixed.column.kind == "category"
    assert [shown in finding.message for finding in mixed.findings if finding.code == "mixed-notation"] == [True]
    few = column_of([cells[0]] * 59 + [cells[1]])
    assert few.column.kind == "number" and few.missing == 1 and "mixed-notation" in codes_of(few)
    with pytest.raises(BadData, match=r"target 'x' holds 1 cell in another notation .* write all of its cells"):
        column_of([cells[0]] * 59 + [cells[1]], is_target=True)


def test_many_amounts_in_units_that_do_not_convert_are_text_and_that_is_said():
    cells = [f"{row / 4} kmpl" for row in range(40)] + [f"{row / 3:.2f} km/kg" for row in range(20)]
    typed = column_of(cells)
    assert typed.column.kind != "number" and "mixed-notation" in codes_of(typed)
    assert codes_of(column_of([f"{row}A" for row in range(40)] + [f"{row}B" for row in range(20)])) == set()


@pytest.mark.parametrize("unit", ["", " kr"])
def test_points_that_may_group_thousands_are_said(unit, tmp_path):
    cells = [f"{number:,}".replace(",", ".") + unit for number in (3230, 3196, 4695, 598, 1600, 12070)]
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{cell},{row}.5\n" for row, cell in enumerate(cells * 20)))
    codes = {finding.code for finding in read_table(path, "y").findings}
    assert "open-notation" in codes
    assert "open-notation" not in codes_of(column_of([f"3.231{unit}", f"598{unit}"]))


def test_labels_that_are_numbers_for_the_most_part_are_said():
    cells = [f"{row}.5" for row in range(60)] + [f"great hall {row % 9}" for row in range(40)]
    typed = column_of(cells)
    (finding,) = [each for each in typed.findings if each.code == "words-among-numbers"]
    assert typed.column.kind in ("category", "text") and "60 numbers" in finding.message and "--type x=number" in finding.cure
    assert column_of([str(2000 + row % 20) for row in range(60)] + ["Jan-2012"] * 20).column.kind == "date"


@pytest.mark.parametrize("cell", ["{}.77N", "${}.5", '"{}.5"'])
def test_measurements_are_no_identifiers(cell):
    other = cell.replace("N", "S").replace("$", "€")
    frame = pd.DataFrame({"x": [(cell if row % 2 else other).format(row) for row in range(60)], "y": np.arange(60) % 7})
    assert "x" in read_table(frame, "y").features


def test_strays_are_counted_against_rows():
    few_values = [str(row % 7) for row in range(300)]
    typed = column_of([*few_values, "ill", "away", "lost"])
    assert typed.column.kind == "number" and typed.missing == 3 and "stray-word" in codes_of(typed)
    sizes = [f"{row / 10}M" for row in range(100, 200)] + ["Varies with device"] * 20
    assert column_of(sizes).missing == 20
    assert column_of(["2", "3", "4", "5more"]).column.kind == "category"
    assert column_of(["250.8"] * 95 + ["V57", "E812"]).column.kind == "category"


@pytest.mark.parametrize("word", ["unknown", "na", "N.A.", "\\N", "Not available"])
def test_words_for_missing_are_missing_among_numbers_however_many(word):
    typed = column_of(["1.5", "2", word])
    assert typed.column.kind == "number" and typed.missing == ROWS / 3
    assert column_of(["red", word, "blue"]).column.kind == "category"


def test_bounds_are_taken_for_the_value_and_said():
    typed = column_of([*(str(row) for row in range(1, 58)), "<1", ">90"])
    assert typed.values[57:59].tolist() == [1, 90] and "bound" in codes_of(typed)


def test_a_file_decides_for_its_columns(tmp_path):
    rows = range(ROWS)
    tab = pd.DataFrame({"people": [f"{row},{row * 7 % 1000:03d}" for row in range(1, ROWS + 1)],
                        "share": [f"0.{row + 100}" for row in rows], "y": [f"{row % 11}.5" for row in rows]})
    tab.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    assert read_table(tmp_path / "a.tsv", "y").features["people"][0] == 1007
    german = pd.DataFrame({"people": [f"{row}.{row * 7 % 1000:03d}" for row in range(1, ROWS + 1)],
                           "share": [f"0,{row + 100}" for row in rows], "y": [f"{row % 11},5" for row in rows]})
    german.to_csv(tmp_path / "b.csv", sep=";", index=False)
    table = read_table(tmp_path / "b.csv", "y")
    assert table.features["people"][0] == 1007 and table.features["share"][1] == 0.101


def test_long_and_hexadecimal_numbers_of_a_file_are_labels(tmp_path):
    frame = pd.DataFrame({"long": [f"1234567890123456789{row % 5}" for row in range(ROWS)],
                          "code": [f"0x{row % 4:X}F" for row in range(ROWS)], "y": np.arange(ROWS) % 7 / 3})
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert [column.kind for column in read_table(tmp_path / "a.csv", "y").columns] == ["category", "category"]


PIECES = st.sampled_from([*"0123456789", ".", ",", "-", "+", "E", "e", "K", "%", "$", "€", " ", "\u00a0", "'", '"', ":", "/", "½",
                          "kg", "(", ")", "<", "*", "NA", "h", "ft", "−", "2024-01-02", "Jan ", "yes", "inf", "nan", "1e999"])
CELLS = st.one_of(st.lists(PIECES, max_size=6).map("".join), st.text(max_size=8))


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(CELLS, min_size=1, max_size=12), comma=st.booleans())
def test_nothing_that_text_can_hold_makes_the_reader_fail(cells, comma):
    typed = column_of(cells, hint=DecimalHint(None, "," if comma else "."))
    assert len(typed) == max(ROWS, len(cells))
    if typed.column.kind == "number":
        assert np.asarray(typed.values).dtype in (np.int64, np.float64)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(-10**7, 10**7), min_size=6, max_size=30, unique=True), comma=st.booleans())
def test_grouped_numbers_are_read_as_written(values, comma):
    cells = [f"{value / 100:,.2f}" for value in values]
    if comma:
        cells = [cell.translate(str.maketrans(",.", ".,")) for cell in cells]
    np.testing.assert_allclose(column_of(cells).values[: len(values)], np.array(values) / 100)
