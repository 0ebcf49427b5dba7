"""From evidence to decisions: intervals that hold at once within each family of claims, winners, crossovers, the headline.

Knows no model and no file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.crossover import Band, Crossing, crossing_frame, crossings
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.families import family_bands
from tabbench.verdict.outcome import Headline, headline_of
from tabbench.verdict.probabilities import rows_needed, shrunk_t
from tabbench.verdict.row_moments import RowMoments, row_moments
from tabbench.verdict.simultaneous import quantiles_of_families
from tabbench.verdict.variance import NORMAL_95, Contrasts, Spread, make_contrasts, spread
from tabbench.verdict.winners import BASELINE, decide, families_at, lacking_families, winners_frame


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdict: frames with the columns of result.json, the answer at the headline size, size -> families lacking there."""

    winners: pd.DataFrame
    pairs: pd.DataFrame
    crossovers: pd.DataFrame
    other_crossovers: pd.DataFrame
    family_crossovers: pd.DataFrame
    headline: Headline
    lacking: Mapping[int, Collection[str]] = field(default_factory=dict)


def judge(
    evidence: LossEvidence, *, alpha: float = 0.05, seed: int = 0, full_size: int, skipped: Collection[tuple[str, int]] = (),
    stopped: Collection[tuple[str, int]] = (), missing: Mapping[str, Sequence[str]] | None = None,
) -> Judgement:
    """Decide every pair at every size, name winners and crossovers.

    Four families of claims hold with probability 1 - alpha each: all pairs of approaches at the headline size; that they beat the
    constant predictor there; the representatives over all sizes, which crossovers are read from; everything else. So do, each for
    itself, the crossovers of all other pairs and those of families of approaches. Pairs that a race has stopped keep their share
    of a family's alpha, so that stopping them makes no other claim easier. The headline size is the largest with all families
    that were run at any, as a rule the full size.

    Parameters
    ----------
    full_size : int
        The plan's, to say when the headline stands at a smaller one.
    skipped : Collection[tuple[str, int]]
        The (approach, size) pairs that were planned but not run.
    stopped : Collection[tuple[str, int]]
        Those of them that a race has stopped; nothing is claimed of them, and they leave the headline where it is.
    missing : Mapping[str, Sequence[str]] | None, default None
        Family -> its approaches that were wanted, where none of them was run at the headline size for lack of time. Over trees or
        nets that were not run nothing simpler is recommended.
    """
    headline = headline_size(evidence, stopped)
    decided = decide_pairs(evidence, alpha=alpha, seed=seed, stopped=stopped, full_size=full_size)
    lacking = lacking_families(evidence, headline, missing or (), stopped)
    winners = winners_frame(evidence, decided.pairs, headline, seed, lacking)
    answer = headline_of(evidence, winners, decided.pairs, decided.crossings, headline=headline, full_size=full_size,
                         skipped=skipped, stopped=stopped, missing=missing)
    return Judgement(winners, decided.pairs, crossing_frame(decided.crossings),
                     crossing_frame(decided.other_crossings, "other_crossovers"),
                     crossing_frame(decided.family_crossings, "family_crossovers"), answer, lacking)


@dataclass(frozen=True, eq=False)
class Decisions:
    """Every pair at every size with its interval and decision, and where representatives, other pairs and families of approaches
    change places."""

    pairs: pd.DataFrame
    crossings: Sequence[Crossing] = ()
    other_crossings: Sequence[Crossing] = ()
    family_crossings: Sequence[Crossing] = ()


def decide_pairs(evidence: LossEvidence, *, alpha: float = 0.05, seed: int = 0, stopped: Collection[tuple[str, int]] = (),
                 full_size: int = 0, has_crossings: bool = True) -> Decisions:
    """Decide every pair at every size; the families of claims and the parameters are those of `judge`.

    Parameters
    ----------
    has_crossings : bool, default True
        Whether crossings are asked for, whose intervals take most of the time.
    """
    headline, claims = headline_size(evidence, stopped), _Claims.of(evidence)
    if claims is None:
        return Decisions(_no_pairs())
    families, gone = ([*each.families(headline, evidence)] for each in (claims.names, _Names.stopped(evidence, stopped)))
    at_headline, over_constant, represents, _ = families
    if has_crossings:
        # A band over sizes must hold at once, so the headline's own, narrower intervals have no part in it.
        families, gone = [*families, ~represents, np.ones_like(represents)], [*gone, ~gone[2], np.ones_like(gone[2])]
    elif not (represents & ~at_headline & ~over_constant).any():
        families[2] = np.zeros_like(represents)
    wanted = [(family, alpha * _share_run(family, away)) for family, away in zip(families, gone, strict=True)]
    of_headline, of_constant, over_sizes, of_rest, *of_bands = claims.half_widths(wanted, seed)
    half = np.select([at_headline, over_constant, represents], [of_headline, of_constant, over_sizes], of_rest)
    pairs = claims.frame(half, evidence.margin, evidence.pool_rows)
    if headline < full_size:
        # The forecast assumes that there are no more rows than these. Here there are: it takes time or memory, not rows.
        pairs["rows_to_settle"] = np.nan
    if not of_bands:
        return Decisions(pairs)
    of_others, at_once = of_bands
    return Decisions(pairs, claims.crossings(represents, over_sizes, alpha), claims.crossings(~represents, of_others, alpha),
                     [each for band in family_bands(claims.bounded(at_once), evidence.families) for each in crossings(band)])


def headline_size(evidence: LossEvidence, stopped: Collection[tuple[str, int]] = ()) -> int:
    """The largest size with all families that were run at any, or stopped by a race for good reason; else with most of them.

    Not the size with the most approaches: the question is about all rows of the table, and a second linear model that was run on
    fewer of them is no reason to answer for those.
    """
    return max(evidence.sizes, key=lambda size: (len(families_at(evidence, size, stopped)), size))


def _at(size: int, pairs: Collection[tuple[str, int]]) -> list[str]:
    return [name for name, of_size in pairs if of_size == size]


def _share_run(family: np.ndarray, stopped: np.ndarray) -> float:
    """The part of a family's planned pairs that was run, but for a race; masks of those that ran and of those stopped."""
    ran = int(family.sum())
    return ran / max(ran + int(stopped.sum()), 1)


@dataclass(frozen=True, eq=False)
class _Names:
    """Pairs of approaches, each at a size, all (M,)."""

    first: np.ndarray
    second: np.ndarray
    size: np.ndarray

    @classmethod
    def stopped(cls, evidence: LossEvidence, stopped: Collection[tuple[str, int]]) -> _Names:
        """The pairs that were not run because a race has stopped one of them, or both."""
        found = [(*pair, size) for size in sorted({size for _, size in stopped})
                 for pair in combinations(sorted({*evidence.present(size), *_at(size, stopped)}), 2)
                 if not set(pair) <= set(evidence.present(size))]
        first, second, sizes = zip(*found, strict=True) if found else ((), (), ())
        return cls(np.array(first, dtype=object), np.array(second, dtype=object), np.array(sizes, dtype=np.int64))

    def families(self, headline: int, evidence: LossEvidence) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Boolean (M,) each: at the headline size without and with the constant; both are representatives; none of these."""
        chosen, is_headline = list(evidence.representatives), self.size == headline
        represents = np.isin(self.first, chosen) & np.isin(self.second, chosen)
        constants = [name for name, family in evidence.families.items() if family == BASELINE]
        has_constant = np.isin(self.first, constants) | np.isin(self.second, constants)
        return is_headline & ~has_constant, is_headline & has_constant, represents, ~is_headline & ~represents


@dataclass(frozen=True, eq=False)
class _Claims:
    """Every pair at every size: its contrast, its names and its standard error."""

    contrasts: Contrasts
    names: _Names
    errors: Spread
    moments: RowMoments | None
    splits: int

    @classmethod
    def of(cls, evidence: LossEvidence) -> _Claims | None:
        """All pairs that were run, ascending in size; None where no two approaches were run at one size."""
        cells = [(name, size) for size in evidence.sizes for name in evidence.present(size)]
        pairs = [pair for pair in combinations(range(len(cells)), 2) if cells[pair[0]][1] == cells[pair[1]][1]]
        if not pairs:
            return None
        moments = row_moments(evidence, cells)
        contrasts = make_contrasts(evidence, cells, moments, pairs)
        names = np.array([name for name, _ in cells], dtype=object)
        of_pairs = _Names(names[contrasts.first], names[contrasts.second], contrasts.size)
        return cls(contrasts, of_pairs, spread(evidence, contrasts), moments, evidence.n_splits)

    def half_widths(self, families: Sequence[tuple[np.ndarray, float]], seed: int) -> list[np.ndarray]:
        """Half the simultaneous intervals (M,) of the contrasts in each family, a mask (M,) with its alpha; NaN elsewhere."""
        quantiles = quantiles_of_families(
            None if self.moments is None else self.moments.of_all, self.contrasts.first, self.contrasts.second,
            shared=self.errors.row_share, degrees=self.errors.degrees, families=families, seed=seed)
        return [each * self.errors.by_luck for each in quantiles]

    def bounds(self, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ends (M,) of intervals that reach so far on both sides, and farther where parts of the rows lie far off."""
        return self.contrasts.difference - half - self.errors.below, self.contrasts.difference + half + self.errors.above

    def bounded(self, half: np.ndarray) -> pd.DataFrame:
        """Every pair at every size with its difference and bounds, NaN where it is unbounded."""
        is_bounded, (low, high) = np.isfinite(half), self.bounds(half)
        return pd.DataFrame({
            "first": self.names.first, "second": self.names.second, "size": self.contrasts.size,
            "difference": self.contrasts.difference,
            "low": np.where(is_bounded, low, np.nan), "high": np.where(is_bounded, high, np.nan)})

    def frame(self, half: np.ndarray, margin: float, rows: int) -> pd.DataFrame:
        """The columns of result.json's pairs."""
        difference, error = self.contrasts.difference, self.errors.standard_error
        bounds = zip(*self.bounds(half), strict=True)
        decisions = [decide(*each, margin, is_single_split=self.splits == 1) for each in bounds]
        towards_zero = np.where(difference > 0, self.errors.below, self.errors.above)
        of_sign = self.errors.by_luck + towards_zero / NORMAL_95
        first, equal, second = shrunk_t(difference, of_sign, self.errors.degrees, margin)
        return self.bounded(half).assign(
            decision=np.array(decisions, dtype=object), p_first=first, p_equal=equal, p_second=second,
            rows_to_settle=np.round(rows_needed(difference, half + towards_zero, error, margin, rows)))

    def crossings(self, family: np.ndarray, half: np.ndarray, alpha: float) -> list[Crossing]:
        """Where the pairs of approaches in `family` change places, by the simultaneous intervals of half the width `half`."""
        from scipy.special import stdtrit  # without scipy.stats, which takes half a second to load

        alone = stdtrit(self.errors.degrees, 1 - alpha / 2) * self.errors.by_luck
        bands = zip(self._bands(family, half), self._bands(family, alone), strict=True)
        return [each for band, of_one_size in bands for each in crossings(band, of_one_size)]

    def _bands(self, family: np.ndarray, half: np.ndarray) -> list[Band]:
        """A band over sizes for each pair of approaches in `family`."""
        bands, names, (low, high) = [], self.names, self.bounds(half)
        for first, second in dict.fromkeys(zip(names.first[family], names.second[family], strict=True)):
            chosen = np.flatnonzero(family & (names.first == first) & (names.second == second))
            bands.append(Band(first, second, self.contrasts.size[chosen], self.contrasts.difference[chosen],
                              low[chosen], high[chosen]))
        return bands


def _no_pairs() -> pd.DataFrame:
    frame = pd.DataFrame({column: np.empty(0, dtype=object) for column in COLUMNS["pairs"]})
    numbers = frame.columns.difference(["first", "second", "size", "decision"])
    return frame.astype({"size": "int64"} | dict.fromkeys(numbers, "float64"))
