from dataclasses import replace

from tabbench.core.comparison import Comparison
from tabbench.report.strip import least_worse, strip


def test_every_approach_at_every_size_is_in_the_strip(comparison: Comparison) -> None:
    drawn = strip(comparison)
    assert drawn.startswith("<svg") or "<svg" in drawn
    sizes = comparison.winners["size"].tolist()
    full = sizes[-1]
    worse = least_worse(comparison, full)
    assert set(worse) == set(comparison.scores.loc[comparison.scores["size"] == full, "approach"])
    top = comparison.winners.iloc[-1]["approaches"]
    assert all(worse[name] == 0 for name in top) and max(worse.values()) > 0
    assert "worse by ≥" in drawn


def test_a_single_size_is_no_strip(comparison: Comparison) -> None:
    assert strip(replace(comparison, winners=comparison.winners.iloc[-1:])) == ""
