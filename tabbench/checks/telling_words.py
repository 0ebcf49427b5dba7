"""Check: a word or a part of a code within a column of texts that tells the target."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd

from tabbench.checks.columns import LEAST_ROWS_OF_A_SIDE, Sample, Values, dropping, per_cent
from tabbench.checks.single_feature import ALARM_SHARE
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding
from tabbench.core.table import Column

WORD = re.compile(r"[^\W\d_]+|\d+")
"""Runs of letters and runs of digits: `C2-00017` is C, 2 and 00017."""
MOST_WORDS = 300
"""The commonest words, looked at one by one."""
JOINED_WORDS = 8
"""The most telling words, looked at together: a label in words may be written in as many ways."""
FEWEST_LEVELS = 100
"""Columns with fewer spellings are looked at as they are by other checks."""
LONGEST_TEXT = 2_000
"""Letters of a text that are read."""
ALARM = {kind: share - 0.15 for kind, share in ALARM_SHARE.items()}
"""A word tells less than a column of its own would: texts are written by people, and not in every row."""


def check_telling_words(checked: CheckedTable) -> list[Finding]:
    """Find columns of texts or codes whose words tell nearly everything about the target."""
    sample, findings = Sample.of(checked), []
    for name, texts in _texts(checked).items():
        has_word = _words(texts.iloc[sample.positions])
        if not has_word:
            continue
        shares = {word: sample.explained_share(Values(Column(name, "category"), rows.astype(np.float64)))
                  for word, rows in has_word.items()}
        best = sorted(shares, key=lambda word: (-shares[word], word))[:JOINED_WORDS]
        joined = np.column_stack([has_word[word] for word in best]) @ (2.0 ** np.arange(len(best)))
        told = sample.predicted_share(Values(Column(name, "category"), joined))
        if told >= ALARM[checked.task.kind] and not _is_told_already(name, sample):
            named = ", ".join(f"'{word}'" for word in best[:2])
            findings.append(Finding("telling-words", "warn", name,
                                    f"words in `{name}` such as {named} tell {told:.1%} of the target's variance; the text may "
                                    "have been written after the outcome was known",
                                    f"if it is not known when predicting, leave it out with {dropping(name)}",
                                    spoils=True, remedy=dropping(name)))
    return findings


def _texts(checked: CheckedTable) -> dict[str, pd.Series]:
    """Columns of many spellings, those that name rows and are no features among them."""
    table = checked.table
    texts = {column.name: table.features[column.name] for column in table.columns
             if column.kind == "text" or len(column.levels) >= FEWEST_LEVELS}
    return texts | {name: series for name, series in table.identifiers.items() if not pd.api.types.is_numeric_dtype(series)}


def _is_told_already(name: str, sample: Sample) -> bool:
    """Whether the column as it is tells so much that another check says so."""
    return any(values.column.name == name and sample.predicted_share(values) >= ALARM_SHARE[sample.checked.task.kind]
               for values in sample.columns)


def _words(texts: pd.Series) -> dict[str, np.ndarray]:
    """Word -> whether each row (m,) holds it, for the commonest words that not every row holds."""
    held = [frozenset(WORD.findall(text[:LONGEST_TEXT].casefold())) for text in texts.astype("string").fillna("")]
    counts = Counter(word for words in held for word in words)
    usual = sorted((word for word, count in counts.items() if LEAST_ROWS_OF_A_SIDE <= count <= len(held) - LEAST_ROWS_OF_A_SIDE),
                   key=lambda word: (-counts[word], word))[:MOST_WORDS]
    return {word: np.array([word in words for words in held]) for word in usual}


CHECKS.register(Check("telling-words", "words within a text that tell the target", check_telling_words, (
    PossibleFinding("telling-words", "warn", f"words within a text tell {per_cent(ALARM)} of the target's variance"),
)))
