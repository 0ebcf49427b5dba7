"""`compare_tables`: from finished runs on many tables to one verdict over all of them. Fits nothing, writes nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tabbench.comparison.assess import evidence_for_tables
from tabbench.comparison.completed import completed
from tabbench.comparison.result import FinishedComparison
from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Run
from tabbench.core.effort import name_of
from tabbench.core.errors import BadOption
from tabbench.core.many_tables import TablesComparison
from tabbench.options import ALPHA
from tabbench.report.many_tables import tables_to_html, tables_to_json, tables_to_markdown
from tabbench.store.database import Store
from tabbench.store.folder import require_run
from tabbench.verdict.across.decision import Standpoint
from tabbench.verdict.across.judge import judge_tables
from tabbench.verdict.across.losses import TableLosses, loss_rows
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.winners import BASELINE
from tabbench.wording.many_tables import answer_sentence, closing_sentence


@dataclass(frozen=True, eq=False)
class FinishedTables(TablesComparison):
    """Result of `compare_tables`: the verdict over many tables, and the frames behind it.

    A notebook shows it as its report.

    Parameters
    ----------
    sentence : str
        The verdict in words.
    decision : {"winner", "top_set", "none"}
        Whether one approach is best, several are, or no verdict is possible.
    reason : str
        Why there is no verdict; empty if there is one.
    approaches : tuple of str
        The approaches that no other is shown to be better than, by mean rank.
    best : str or None
        Of these, the one with the best mean rank; None without a verdict.
    recommended : str or None
        The cheapest of these that is as good as the best; None without a verdict.
    without_failures : dict or None
        The same six values without the tables on which something failed; None if nothing failed.
    protocol : dict
        Margin (in units of each table's default margin), alpha and seed.
    tables : DataFrame
        One row per table: source, metric, size, preset and share of failed runs.
    ranks : DataFrame
        Mean rank of each approach and its interval, the best first.
    pairs : DataFrame
        One row per pair: difference in margins, tests, probabilities and decision.
    elo : DataFrame
        Elo rating of each approach and its interval.
    improvability : DataFrame
        Improvability of each approach and its interval, by metric.
    win_rates : DataFrame
        Win rate of each approach and its interval, by number of training rows.

    See Also
    --------
    compare_tables : Compare approaches over many tables.
    """

    def to_json(self) -> dict[str, Any]:
        """Return all values and frames as plain values for JSON.

        Returns
        -------
        values : dict
            Frames as lists of records; undefined numbers are None.
        """
        return tables_to_json(self)

    def to_markdown(self) -> str:
        """Return the whole report as Markdown.

        Returns
        -------
        text : str
            The report.
        """
        return tables_to_markdown(self)

    def _repr_html_(self) -> str:
        return tables_to_html(self)

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, eq=False)
class _Given:
    """One finished run and the losses in its store."""

    folder: Path
    run: Run
    evidence: LossEvidence


def compare_tables(
    comparisons: Iterable[str | Path | FinishedComparison], *, sources: Sequence[str] | None = None,
    approaches: Sequence[str] | None = None, margin: float = 1.0, seed: int = 0,
) -> FinishedTables:
    """Compare approaches over many tables, from a finished comparison on each.

    Parameters
    ----------
    comparisons : iterable of str, path or FinishedComparison
        Folders of finished runs, or results of `compare`.
    sources : sequence of str or None, default None
        Source of the table of each comparison; tables of one source together count once. None takes every table of different
        content as a source of its own.
    approaches : sequence of str or None, default None
        Approaches to compare; tables that lack one are left out. None takes all that were run on every table.
    margin : float, default 1.0
        Largest difference that counts as practically equal, in units of each table's default margin (1 % of the constant
        predictor's loss; 0.01 in accuracy, 0.005 in AUC). The runs' own margins are not used, since one must hold on all tables.
    seed : int, default 0
        Seed of the bootstrap and of the posterior draws.

    Returns
    -------
    result : FinishedTables
        The verdict and its frames, with `to_json()` and `to_markdown()`.

    Raises
    ------
    BadOption
        No comparisons were given, a run has no finished approach, two runs have different versions of an approach, or sources
        and comparisons do not match.

    See Also
    --------
    compare : Compare approaches on one table.

    Notes
    -----
    Pairs are tested with Wilcoxon's signed-rank test (doi:10.2307/3001968) with Holm's correction; their posterior probabilities
    are those of the Bayesian signed-rank test (Benavoli et al. 2017, jmlr.org/papers/v18/16-305.html). Elo ratings come from the
    Bradley-Terry model (doi:10.2307/2334029), regularized after Firth (doi:10.1093/biomet/80.1.27). docs/method.md says more.
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise BadOption(f"margin {margin} is not a number of 0 or more; leave it out for the default")
    if isinstance(comparisons, str | Path | FinishedComparison):
        raise BadOption("compare_tables needs a list of comparisons; one alone is compared with nothing")
    given = [_read(each) for each in comparisons]
    if not given:
        raise BadOption("no comparisons were given; compare_tables needs the folders of finished runs")
    _require_same_versions(given)
    tables, origins = _labels(given), _sources(given, sources)
    frame = pd.concat([loss_rows(each.evidence, table=table, source=source)
                       for each, table, source in zip(given, tables, origins, strict=True)], ignore_index=True)
    losses = TableLosses.gather(frame, approaches)
    standpoint = Standpoint(
        baselines=[name for each in given for name, family in each.evidence.families.items() if family == BASELINE],
        cost_ranks={name: rank for each in given for name, rank in each.evidence.cost_ranks.items()}, margin=margin,
        alpha=ALPHA, seed=seed)
    overview = judge_tables(losses, standpoint)
    without = overview.without_failures
    return FinishedTables(
        sentence=closing_sentence(overview, repeated=_repeated(given, tables),
                                  presets=[name_of(each.run.effort) for each in given]),
        **asdict(overview.answer.outcome),
        without_failures=None if without is None else {"sentence": answer_sentence(without), **asdict(without.outcome)},
        protocol={"margin": margin, "alpha": ALPHA, "seed": seed},
        tables=_tables_frame(losses.at_largest_size(), dict(zip(tables, given, strict=True))), ranks=overview.ranks,
        pairs=overview.pairs, elo=overview.elo, improvability=overview.improvability, win_rates=overview.win_rates)


def _read(comparison: str | Path | FinishedComparison) -> _Given:
    if isinstance(comparison, FinishedComparison):
        folder = comparison.folder
    elif isinstance(comparison, str | Path):
        folder = Path(comparison)
    else:
        raise BadOption(f"{type(comparison).__name__} is neither a run's folder nor what tabbench.compare gives back")
    with Store.reading(require_run(folder)) as store:
        run = recall_run(store)
        run = completed(run, store.finished())
        evidence = evidence_for_tables(run, store)
    if evidence is None:
        raise BadOption(f"no approach has finished in {folder}; continue it with tabbench resume, or leave it out")
    return _Given(folder, run, evidence)


def _require_same_versions(given: Sequence[_Given]) -> None:
    seen: dict[str, tuple[int, Path]] = {}
    for each in given:
        for entry in each.run.entries:
            version, folder = seen.setdefault(entry.name, (entry.version, each.folder))
            if version != entry.version:
                raise BadOption(f"{entry.name} has version {version} in {folder} and {entry.version} in {each.folder}; run the "
                                "older one again")


def _labels(given: Sequence[_Given]) -> list[str]:
    """Return a unique name for each run: that of its table, numbered if it occurs again."""
    names: list[str] = []
    for each in given:
        name, number = each.run.setup.table.name, 1
        while (label := name if number == 1 else f"{name} ({number})") in names:
            number += 1
        names.append(label)
    return names


def _sources(given: Sequence[_Given], sources: Sequence[str] | None) -> list[str]:
    prints = [each.run.setup.table.fingerprint for each in given]
    if sources is None:
        return prints
    if len(sources) != len(given):
        raise BadOption(f"{len(sources)} sources were given for {len(given)} comparisons; give one for each, in their order")
    source_of: dict[str, str] = {}
    for fingerprint, source, each in zip(prints, sources, given, strict=True):
        if source_of.setdefault(fingerprint, source) != source:
            raise BadOption(f"{each.run.setup.table.name} was given twice, as of the sources {source_of[fingerprint]!r} and "
                            f"{source!r}; a table has one source")
    return list(sources)


def _repeated(given: Sequence[_Given], labels: Sequence[str]) -> dict[str, int]:
    """Return, by label, how often a table was given, for tables given more than once."""
    prints = [each.run.setup.table.fingerprint for each in given]
    count, label_of = Counter(prints), dict(zip(reversed(prints), reversed(labels), strict=True))
    return {label_of[fingerprint]: number for fingerprint, number in count.items() if number > 1}


def _tables_frame(losses: TableLosses, given: dict[str, _Given]) -> pd.DataFrame:
    return pd.DataFrame({
        "table": losses.tables, "source": losses.sources, "metric": losses.metrics, "size": losses.size,
        "preset": [name_of(given[table].run.effort) for table in losses.tables], "failed": losses.imputed.mean(axis=1)})
