"""What a raw column is: number, yes/no, category, text or date. One column in, one typed column out.

Looks at text through its distinct spellings. Knows neither the file nor the
column's role, except that a target keeps more labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.errors import BadData, OptionMention
from tabbench.core.finding import Finding
from tabbench.core.notation import DecimalHint, Notation
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Column
from tabbench.reading.missing_words import (
    DASHES,
    GUESSED,
    MISSING_AMONG_TRUTH,
    MISSING_AMONG_VALUES,
    MISSING_EVERYWHERE,
    NOT_AVAILABLE,
)
from tabbench.reading.number_findings import number_findings, scales_differ
from tabbench.reading.text_dates import read_dates
from tabbench.reading.text_numbers import MixedScales, read_numbers
from tabbench.reading.units import CLOCK

LARGEST_EXACT = 2**53
"""Above it float64 rounds whole numbers, which are identifiers then."""
TEXT_FROM_LEVELS = 50
"""Fewer labels are a category whatever the number of rows."""
TEXT_BELOW_ROWS_A_LEVEL = 5
"""Labels that come back less often on average say nothing as labels."""
MOST_WORDS_KEPT = 20
"""Words among numbers that a column remembers as missing."""
TRUTH_WORDS = (("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"))


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """A recognised column.

    `values` is a numpy or pandas array (n,) with the dtype that `Column` promises; `codes` (n,) numbers equal where values are
    equal, to be hashed; `distinct` are the labels of a category or text in order of appearance, None for the other kinds.
    """

    column: Column
    values: Any
    codes: np.ndarray
    missing: int
    distinct: pa.StringArray | None = None
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray) -> TypedColumn:
        """These rows."""
        values = self.values[rows]
        return replace(self, values=values, codes=self.codes[rows], missing=int(pd.isna(values).sum()))


@dataclass(frozen=True, eq=False)
class _Spelled:
    """A column of text by its distinct trimmed spellings; code -1 is missing.

    `as_read` is the column itself if it needed no repair.
    """

    spellings: pa.StringArray
    codes: np.ndarray
    merged: tuple[str, ...] = ()
    as_read: pa.ChunkedArray | None = None

    def texts(self) -> pa.Array:
        """The trimmed column; the one that was read where trimming changed nothing."""
        if self.as_read is not None:
            return self.as_read.cast(pa.large_string()).combine_chunks()
        return self.spellings.take(pa.array(self.codes, mask=self.codes < 0))

    def without(self, words: tuple[str, ...]) -> _Spelled:
        """The same with some spellings counted as missing."""
        return self._less(pc.is_in(self.spellings, pa.array(words, pa.string())))

    def without_words(self, words: frozenset[str]) -> _Spelled:
        """The same with some words counted as missing, however their letters are written."""
        return self._less(pc.is_in(pc.utf8_lower(self.spellings), pa.array(sorted(words), pa.string())))

    def rows(self) -> np.ndarray:
        """How many rows each spelling has (k,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.spellings))

    def _less(self, gone: pa.BooleanArray) -> _Spelled:
        if not pc.any(gone).as_py():
            return self
        kept = pc.invert(gone)
        mapping = np.where(kept.to_numpy(zero_copy_only=False), np.cumsum(kept.to_numpy(zero_copy_only=False)) - 1, -1)
        return _Spelled(self.spellings.filter(kept), np.append(mapping, -1).astype(np.int32)[self.codes], self.merged)


def recognise(name: str, values: pa.ChunkedArray, *, hint: DecimalHint = DecimalHint(),  # noqa: B008
              is_target: bool = False, missing: tuple[str, ...] | None = None) -> TypedColumn:
    """Type one column.

    Parameters
    ----------
    values : pa.ChunkedArray
        Arrow column as read.
    hint : DecimalHint
        How a mark before exactly three digits is read where the column itself does not tell.
    is_target : bool, default False
        Dashes and words such as "none" stay labels, and numbers on several scales are refused.

    missing : tuple[str, ...] | None, default None
        The user's codes for a missing value; by default those that the column shows.

    Raises
    ------
    BadData
        A type that no table has (bytes that are no text); a target of numbers that don't share a scale.
    """
    typed = _typed(name, values, hint, is_target, missing)
    return typed if missing is None else _with_codes(typed, missing)


def _typed(name: str, values: pa.ChunkedArray, hint: DecimalHint, is_target: bool,
           missing: tuple[str, ...] | None) -> TypedColumn:
    kind = values.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            return _category(name, _spell(values, missing), is_declared=True, is_target=is_target,
                             names_codes=missing is not None)
        values, kind = values.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind):
        return _boolean(name, values.combine_chunks(), ())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _date(name, pc.cast(values, pa.timestamp("us"), safe=False).to_numpy(), None)
    if pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return _number_or_identifier(name, values, is_target)
    return _from_text(name, _as_text(name, values), hint, is_target, missing)


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


def _number_or_identifier(name: str, values: pa.ChunkedArray, is_target: bool) -> TypedColumn:
    if pa.types.is_integer(values.type):
        extent = pc.min_max(values)
        low, high = extent["min"].as_py(), extent["max"].as_py()
        if low is not None and (high > LARGEST_EXACT or low < -LARGEST_EXACT):
            return _category(name, _spell(values.cast(pa.string())), is_declared=is_target, is_target=is_target)
        numbers = values.cast(pa.int64())  # stays int64 when nothing is missing
    elif pa.types.is_time(values.type) or pa.types.is_duration(values.type):
        numbers = _as_float(values)
    else:
        numbers = values.cast(pa.float64(), safe=False)
    unit = CLOCK if pa.types.is_time(values.type) else ""
    return number_column(Column(name, "number", notation=Notation("" if pa.types.is_integer(numbers.type) else ".", unit=unit)),
                         numbers.to_numpy())


def number_column(column: Column, numbers: np.ndarray, findings: tuple[Finding, ...] = ()) -> TypedColumn:
    """A column of float64 or int64 numbers (n,); infinite ones are kept."""
    if not numbers.flags.writeable:
        numbers = numbers.copy()  # Arrow's own memory, which libraries that want to write refuse
    if numbers.dtype == np.int64:
        return TypedColumn(_with_extent(column, numbers), numbers, numbers, 0, findings=findings)
    numbers = numbers.astype(np.float64, copy=False)
    return TypedColumn(_with_extent(column, numbers), numbers, numbers, int(np.isnan(numbers).sum()), findings=findings)


def _with_extent(column: Column, numbers: np.ndarray) -> Column:
    is_fraction = bool(len(numbers)) and bool(np.fmax.reduce(numbers) <= 1) and bool(np.fmin.reduce(numbers) >= -1)
    return replace(column, notation=replace(column.notation, is_fraction=is_fraction))


def _boolean(name: str, values: pa.BooleanArray, levels: tuple[str, ...]) -> TypedColumn:
    array = pd.BooleanDtype().__from_arrow__(values)
    codes = np.where(np.asarray(array.isna()), -1, array.to_numpy(dtype=np.int64, na_value=0))
    return TypedColumn(Column(name, "boolean", levels), array, codes, values.null_count)


def _date(name: str, values: np.ndarray, date_format: str | None, findings: tuple[Finding, ...] = ()) -> TypedColumn:
    values = values.astype("datetime64[us]")
    return TypedColumn(Column(name, "date", date_format=date_format), pd.array(values, dtype="datetime64[us]"),
                       values.view(np.int64),
                       int(np.isnat(values).sum()), findings=findings)


def _from_text(name: str, values: pa.ChunkedArray, hint: DecimalHint, is_target: bool,
               missing: tuple[str, ...] | None) -> TypedColumn:
    spelled = _spell(values, missing)
    truths, among_values = (spelled.without((NOT_AVAILABLE,)).without_words(words)
                            for words in (MISSING_AMONG_TRUTH, MISSING_AMONG_VALUES))
    typed = _truth(name, truths) or _written_number(name, among_values, hint, is_target)
    if isinstance(typed, Finding):
        labels = _category(name, spelled, is_declared=is_target, is_target=is_target, names_codes=missing is not None)
        return replace(labels, findings=(*labels.findings, typed))
    typed = typed or _written_date(name, among_values)
    if typed is not None:
        return replace(typed, findings=(*typed.findings, *_word_findings(name, spelled)))
    return _category(name, spelled, is_declared=is_target, is_target=is_target, names_codes=missing is not None)


def _word_findings(name: str, spelled: _Spelled) -> tuple[Finding, ...]:
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


def _spell(values: pa.ChunkedArray, missing: tuple[str, ...] | None = None) -> _Spelled:
    """The column by its spellings without those that nobody means a value by; NA is left to who knows the column."""
    # Encoding gives all chunks one dictionary; only what came encoded may have several.
    encoded = values.unify_dictionaries() if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    if not encoded.num_chunks:
        return _Spelled(pa.array([], pa.string()), np.empty(0, np.int32))
    codes = np.concatenate([pc.fill_null(chunk.indices.cast(pa.int32()), -1).to_numpy() for chunk in encoded.chunks])
    spellings = encoded.chunk(0).dictionary.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(spellings)
    merged: tuple[str, ...] = ()
    as_read = None if pa.types.is_dictionary(values.type) else values
    if not trimmed.equals(spellings):
        as_read = None
        recoded = trimmed.dictionary_encode()
        merged = _merged(recoded)
        codes = np.append(recoded.indices.to_numpy(), -1).astype(np.int32)[codes]
        trimmed = recoded.dictionary
    return _Spelled(trimmed, codes, merged, as_read).without(
        tuple(word for word in MISSING_EVERYWHERE if word not in (GUESSED if missing is not None else (NOT_AVAILABLE,)))
        + (missing or ()))


def _merged(recoded: pa.DictionaryArray) -> tuple[str, ...]:
    """Labels that several spellings became one of."""
    counts = np.bincount(recoded.indices.to_numpy(), minlength=len(recoded.dictionary))
    labels = recoded.dictionary.take(pa.array(np.flatnonzero(counts > 1))).to_pylist()
    return tuple(label for label in labels if label not in MISSING_EVERYWHERE)


def _truth(name: str, spelled: _Spelled) -> TypedColumn | None:
    """Yes and no in words, if each has one spelling."""
    if len(spelled.spellings) != 2:
        return None
    words = {word.casefold(): word for word in spelled.spellings.to_pylist()}
    pair = next((pair for pair in TRUTH_WORDS if set(pair) == set(words)), None)
    if pair is None:
        return None
    no, yes = words[pair[0]], words[pair[1]]
    is_yes = np.array([word == yes for word in spelled.spellings.to_pylist()] + [False])
    typed = _boolean(name, pa.array(is_yes[spelled.codes], mask=spelled.codes < 0), (no, yes))
    return replace(typed, findings=_merge_findings(name, spelled))


def _written_number(name: str, spelled: _Spelled, hint: DecimalHint, is_target: bool) -> TypedColumn | Finding | None:
    """The numbers that a text stands for; a finding where it would be numbers if these shared a scale."""
    rows = spelled.rows()
    read = read_numbers(spelled.spellings, rows, hint)
    if isinstance(read, MixedScales) or (is_target and read is not None and len(read.mixed)):
        return scales_differ(name, spelled.spellings, rows, read, is_target)
    if read is None or (read.is_integer and np.nanmax(np.abs(read.values)) > LARGEST_EXACT):
        return None
    numbers = np.append(read.values, np.nan)[spelled.codes]
    if read.is_integer and not np.isnan(numbers).any():
        numbers = numbers.astype(np.int64)
    gone = spelled.spellings.take(pa.array(read.strays[:MOST_WORDS_KEPT])).to_pylist()
    return number_column(Column(name, "number", notation=read.notation, missing_words=tuple(gone)), numbers,
                         number_findings(name, spelled.spellings, rows, read))


def _written_date(name: str, spelled: _Spelled) -> TypedColumn | None:
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
    if read.is_ambiguous:
        findings += (Finding("ambiguous-date", "warn", shown(name),
                            f"{shown(name)} could be day/month or month/day and is read as {read.format}",
                            "write dates as YYYY-MM-DD"),)
    return _date(name, np.append(read.values, np.datetime64("NaT"))[spelled.codes], read.format, findings)


def _category(name: str, spelled: _Spelled, *, is_declared: bool, is_target: bool, names_codes: bool = False) -> TypedColumn:
    """Labels as a category, or as text where they hardly ever come back; whoever declares a category gets one."""
    if not is_target and not pc.any(pc.equal(spelled.spellings, "+")).as_py():
        spelled = spelled.without(DASHES)
    findings = _merge_findings(name, spelled)
    if not names_codes:
        spelled, said = _settle_na(name, spelled, is_target)
        findings += said
    missing = int((spelled.codes < 0).sum())
    distinct = len(spelled.spellings)
    if not is_declared and distinct > TEXT_FROM_LEVELS and len(spelled.codes) - missing < TEXT_BELOW_ROWS_A_LEVEL * distinct:
        return TypedColumn(Column(name, "text"), as_strings(spelled.texts()), spelled.codes, missing, spelled.spellings, findings)
    order = pc.sort_indices(spelled.spellings).to_numpy()
    rank = np.empty(distinct + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(distinct), -1
    levels = tuple(spelled.spellings.take(pa.array(order)).to_pylist())
    values = pd.Categorical.from_codes(rank[spelled.codes], dtype=category_type(levels))
    return TypedColumn(Column(name, "category", levels), values, rank[spelled.codes], missing, spelled.spellings, findings)


def _settle_na(name: str, spelled: _Spelled, is_target: bool) -> tuple[_Spelled, tuple[Finding, ...]]:
    """NA stays a label where the others are two-letter codes, too, or where it is as usual as they are."""
    is_na = pc.equal(spelled.spellings, NOT_AVAILABLE).to_numpy(zero_copy_only=False)
    if not is_na.any():
        return spelled, ()
    rows, others = spelled.rows(), spelled.spellings.filter(pa.array(~is_na))
    cells, usual = int(rows[is_na][0]), rows[~is_na]
    is_code = len(others) > 1 and pc.all(pc.match_substring_regex(others, "^[A-Z]{2}$")).as_py()
    is_usual = 1 < len(others) <= TEXT_FROM_LEVELS and usual.min() <= cells <= usual.max()
    where = f"'NA' in {counted(cells, 'row')} of {shown(name)}"
    if is_code or is_usual:
        reason = "a code like the others" if is_code else "as frequent as the others"
        return spelled, (Finding("na-label", "warn" if is_target else "info", shown(name), f"{where} is kept as a label, as it "
                                 f"is {reason}", "if it means missing, say so with --missing NA"),)
    return spelled.without((NOT_AVAILABLE,)), (
        Finding("na-missing", "warn" if is_target else "info", shown(name), f"{where} is read as missing",
                "if it is a label, name the codes for missing without it, such as --missing N/A"),)


def _with_codes(typed: TypedColumn, missing: tuple[str, ...]) -> TypedColumn:
    """The column knowing the user's codes for missing, which its numbers lack."""
    typed = replace(typed, column=replace(typed.column, missing_words=(*missing, *typed.column.missing_words)))
    codes = code_numbers(missing)
    if typed.column.kind != "number" or not codes or not np.isin(typed.values, codes).any():
        return typed
    numbers = np.where(np.isin(typed.values, codes), np.nan, typed.values)
    return number_column(typed.column, numbers, typed.findings)


def code_numbers(words: Iterable[str]) -> list[float]:
    """The numbers among codes for missing."""
    return [float(word) for word in words if re.fullmatch(r"[-+]?[0-9]+(?:\.[0-9]+)?", word)]


def category_type(levels: tuple[str, ...]) -> pd.CategoricalDtype:
    """The dtype of a category with these levels."""
    return pd.CategoricalDtype(pd.Index(levels, dtype="str"))


def as_strings(values: pa.Array) -> Any:
    """An Arrow column of text as pandas' own string array, NaN where missing."""
    return pd.StringDtype("pyarrow", na_value=np.nan).__from_arrow__(values.cast(pa.large_string()))


def _merge_findings(name: str, spelled: _Spelled) -> tuple[Finding, ...]:
    if not spelled.merged:
        return ()
    label = spelled.merged[0]
    return (Finding("merged-labels", "info", shown(name), f"in {shown(name)}, {' ' + shown(label)!r} and {shown(label)!r} are "
                                                          f"one label; blanks around "
                    f"{counted(len(spelled.merged), 'label')} were trimmed"),)
