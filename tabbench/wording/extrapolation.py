"""Why learning curves are not extrapolated, as a clause. Decides nothing."""

from __future__ import annotations

from tabbench.core.phrases import measured
from tabbench.verdict.extrapolation import Miss, Obstacle, Refusal


def refusal_words(refusal: Refusal | None) -> str:
    """The reason of a refusal; nothing where there is an extrapolation.

    >>> refusal_words(Refusal(Obstacle.NOT_RUN, 8_000, "mlp"))
    'mlp was not run at 8,000 rows'
    """
    if refusal is None:
        return ""
    if refusal.miss is not None:
        return _miss(refusal.miss, refusal.size)
    name, count, of = refusal.approach, refusal.count, refusal.of
    return {
        Obstacle.NOT_RUN: f"{name} was not run at {refusal.size:,} rows",
        Obstacle.FAILED: f"{name} failed in {count} of {of} fits",
        Obstacle.FEW_SIZES: f"{_were(count, 'size')} run, and a curve needs {of}",
        Obstacle.FEW_SIZES_BELOW: f"{_were(count, 'size')} run up to half of {refusal.size:,} rows, and {of} are needed to test "
                                  "the curves on the larger ones",
        Obstacle.FEW_SPLITS: f"{_were(count, 'split')} run, too few to show the effect of the training rows; {of} are needed",
        Obstacle.NO_ERRORS: "the two predict the same, or the error of their scores is unknown",
    }[refusal.obstacle]


def _miss(miss: Miss, largest: int) -> str:
    told = "the larger sizes were missed" if not miss.is_at_largest else (
        f"the difference at {largest:,} rows was expected between {_signed(miss.low)} and {_signed(miss.high)}, and is "
        f"{_signed(miss.seen)}")
    return f"the curves are too irregular: from the sizes up to {miss.fitted_to:,} rows {told}"


def _signed(value: float) -> str:
    return measured(value).replace("-", "−")


def _were(number: int, what: str) -> str:
    return f"1 {what} was" if number == 1 else f"{number} {what}s were"
