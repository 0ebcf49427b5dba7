"""What a raw column is: number, yes/no, category, text or date. One column in, one typed column out.

Looks at text through its distinct spellings. Knows neither the file nor the
column's role, except that a target keeps more labels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.errors import BadData, OptionMention
from tabbench.core.finding import Finding
from tabbench.core.notation import Notation
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Column
from tabbench.reading.categories import category_column, merge_findings
from tabbench.reading.missing_words import MISSING_AMONG_TRUTH, MISSING_AMONG_VALUES, NOT_AVAILABLE, code_numbers
from tabbench.reading.number_findings import WORDS_AMONG, number_findings, scales_differ, words_among
from tabbench.reading.rules import USUAL, Rules
from tabbench.reading.spelled import Spelled, spell
from tabbench.reading.text_dates import SEVERAL, read_dates
from tabbench.reading.text_numbers import MixedScales, WordsAmong, read_numbers
from tabbench.reading.typed_column import LARGEST_EXACT, TypedColumn, boolean_column, date_column, number_column
from tabbench.reading.units import CLOCK

MOST_WORDS_KEPT = 20
"""Words among numbers that a column remembers as missing."""
TRUTH_WORDS = (("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"))


def recognise(name: str, values: pa.ChunkedArray, rules: Rules = USUAL) -> TypedColumn:
    """Type one column, given as Arrow read it.

    Raises
    ------
    BadData
        A type that no table has (bytes that are no text); a target of numbers that don't share a scale.
    """
    typed = _typed(name, values, rules)
    return typed if rules.missing is None else _with_codes(typed, rules.missing)


def _typed(name: str, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return category_column(name, spell(values, rules.missing), rules)
    if pa.types.is_boolean(kind):
        return boolean_column(name, values.combine_chunks(), ())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return date_column(name, pc.cast(values, pa.timestamp("us"), safe=False).to_numpy(), None)
    if pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return _number_or_identifier(name, values, rules)
    return _from_text(name, _as_text(name, values), rules)


def _as_float(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of the day as hours, durations as seconds: what the spelling in a text file would give for times."""
    if pa.types.is_time(values.type):
        microseconds = pc.cast(pc.cast(values, pa.time64("us")), pa.int64())
        return pc.divide(pc.cast(microseconds, pa.float64()), 3.6e9)
    microseconds = pc.cast(pc.cast(values, pa.duration("us"), safe=False), pa.int64())
    return pc.divide(pc.cast(microseconds, pa.float64()), 1e6)


def _as_text(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(values.type):
        return values
    try:
        return values.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return pa.chunked_array([[None if value is None else str(value) for value in values.to_pylist()]], pa.string())
    except pa.ArrowInvalid as error:
        raise BadData.about(f"column {shown(name)} holds bytes that are no text; leave it out with ",
                            OptionMention("drop")) from error


def _number_or_identifier(name: str, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    if pa.types.is_integer(values.type):
        extent = pc.min_max(values)
        low, high = extent["min"].as_py(), extent["max"].as_py()
        if low is not None and (high > LARGEST_EXACT or low < -LARGEST_EXACT):
            return category_column(name, spell(values.cast(pa.string())), rules, is_declared=rules.is_target)
        numbers = values.cast(pa.int64())  # stays int64 when nothing is missing
    elif pa.types.is_time(values.type) or pa.types.is_duration(values.type):
        numbers = _as_float(values)
    else:
        numbers = values.cast(pa.float64(), safe=False)
    unit = CLOCK if pa.types.is_time(values.type) else "s" if pa.types.is_duration(values.type) else ""
    return number_column(Column(name, "number", notation=Notation("" if pa.types.is_integer(numbers.type) else ".", unit=unit)),
                         numbers.to_numpy())


def _from_text(name: str, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    spelled = spell(values, rules.missing)
    truths, among_values = (spelled.without((NOT_AVAILABLE,)).without_words(words)
                            for words in (MISSING_AMONG_TRUTH, MISSING_AMONG_VALUES))
    typed = (_truth(name, truths.with_labels_merged() if rules.merge_labels else truths)
             or _written_number(name, among_values, rules))
    if isinstance(typed, Finding) and typed.code == WORDS_AMONG:  # years among dates, maybe
        typed = _written_date(name, among_values) or typed
    if isinstance(typed, Finding):
        labels = category_column(name, spelled, rules, is_declared=rules.is_target)
        return replace(labels, findings=(*labels.findings, typed))
    typed = typed or _written_date(name, among_values)
    if typed is not None:
        return replace(typed, findings=(*typed.findings, *word_findings(name, spelled)))
    return category_column(name, spelled, rules, is_declared=rules.is_target)


def word_findings(name: str, spelled: Spelled) -> tuple[Finding, ...]:
    """Words such as "unknown" that count as missing."""
    is_word = pc.and_(pc.is_in(pc.utf8_lower(spelled.spellings), pa.array(sorted(MISSING_AMONG_VALUES), pa.string())),
                      pc.match_substring_regex(spelled.spellings, "[A-Za-z]")).to_numpy(zero_copy_only=False)
    if not is_word.any():
        return ()
    words = spelled.spellings.filter(pa.array(is_word)).to_pylist()
    cells = counted(int(spelled.rows()[is_word].sum()), "cell")
    return (Finding("missing-word", "warn", shown(name), f"in {shown(name)}, {cells} that say {first_few(words)} "
                    "count as missing",
                    "leave these cells empty if they are, or declare the column a category if they are labels"),)


def _truth(name: str, spelled: Spelled) -> TypedColumn | None:
    """Yes and no in words, if each has one spelling."""
    if len(spelled.spellings) != 2:
        return None
    words = {word.casefold(): word for word in spelled.spellings.to_pylist()}
    pair = next((pair for pair in TRUTH_WORDS if set(pair) == set(words)), None)
    if pair is None:
        return None
    no, yes = words[pair[0]], words[pair[1]]
    is_yes = np.array([word == yes for word in spelled.spellings.to_pylist()] + [False])
    return boolean_column(name, pa.array(is_yes[spelled.codes], mask=spelled.codes < 0), (no, yes), merge_findings(name, spelled))


def _written_number(name: str, spelled: Spelled, rules: Rules) -> TypedColumn | Finding | None:
    """The numbers that a text stands for; a finding where it would be numbers if these shared a scale."""
    rows = spelled.rows()
    read = read_numbers(spelled.spellings, rows, rules.hint)
    if isinstance(read, WordsAmong):
        return words_among(name, spelled.spellings, rows, read)
    if isinstance(read, MixedScales) or (rules.is_target and read is not None and len(read.mixed)):
        return scales_differ(name, spelled.spellings, rows, read, rules.is_target)
    if read is None or (read.is_integer and np.nanmax(np.abs(read.values)) > LARGEST_EXACT):
        return None
    numbers = np.append(read.values, np.nan)[spelled.codes]
    if read.is_integer and not np.isnan(numbers).any():
        numbers = numbers.astype(np.int64)
    gone = spelled.spellings.take(pa.array(read.strays[:MOST_WORDS_KEPT])).to_pylist()
    return number_column(Column(name, "number", notation=read.notation, missing_words=tuple(gone)), numbers,
                         number_findings(name, spelled.spellings, rows, read))


def _written_date(name: str, spelled: Spelled) -> TypedColumn | None:
    rows = spelled.rows()
    read = read_dates(spelled.spellings, rows)
    if read is None:
        return None
    findings: tuple[Finding, ...] = ()
    strays = np.flatnonzero(np.isnat(read.values))
    if len(strays):
        findings += (Finding("stray-word", "warn", shown(name), f"{shown(name)} holds dates but for "
                             f"{counted(int(rows[strays].sum()), 'cell')} "
                             f"({first_few(spelled.spellings.take(pa.array(strays)).to_pylist(), 2)}), which count as missing",
                             "correct these cells, or write a date for what they mean"),)
    if SEVERAL in (read.format or ""):
        findings += (Finding("mixed-dates", "info", shown(name), f"{shown(name)} holds dates written in several ways: "
                             f"{read.format}"),)
    if read.is_ambiguous:
        findings += (Finding("ambiguous-date", "warn", shown(name),
                             f"{shown(name)} could be day/month or month/day and is read as {read.format}",
                             "write dates as YYYY-MM-DD"),)
    return date_column(name, np.append(read.values, np.datetime64("NaT"))[spelled.codes], read.format, findings)


def _with_codes(typed: TypedColumn, missing: tuple[str, ...]) -> TypedColumn:
    """The column knowing the user's codes for missing, which its numbers lack."""
    typed = replace(typed, column=replace(typed.column, missing_words=(*missing, *typed.column.missing_words)))
    codes = code_numbers(missing)
    if typed.column.kind != "number" or not codes or not np.isin(typed.values, codes).any():
        return typed
    numbers = np.where(np.isin(typed.values, codes), np.nan, typed.values)
    return number_column(typed.column, numbers, typed.findings)
