"""The quick form of the calibration gate: error rates on tables with a known truth (method: G1 mirror twins, G2 closed form)."""

import numpy as np
import pytest

from tabbench.verdict.judge import judge

SLACK = 2
"""Binomial standard errors by which a measured rate may miss its level."""


def most(level, runs):
    """The largest count that a true rate of `level` explains."""
    return runs * level + SLACK * np.sqrt(runs * level * (1 - level))


def families_with_a_false_claim(evidence):
    pairs = judge(evidence, full_size=max(evidence.sizes)).pairs
    is_claim = ~pairs["decision"].isin(["equal", "undecided"])
    at_full = pairs["size"] == max(evidence.sizes)
    represents = pairs["first"].isin(evidence.representatives) & pairs["second"].isin(evidence.representatives)
    return np.array([(is_claim & family).any() for family in (at_full, represents & ~at_full, ~represents & ~at_full)])


@pytest.mark.parametrize(("repeats", "twins", "runs"), [(1, 2, 100), (3, 2, 100), (1, 3, 50), (3, 3, 50)])
def test_mirror_twins_have_no_false_winner(simulate, repeats, twins, runs):
    false_claims = sum(
        families_with_a_false_claim(simulate.mirror_twins(seed, repeats=repeats, twins=twins)) for seed in range(runs)
    )
    assert (false_claims <= most(0.05, runs)).all(), false_claims


@pytest.mark.parametrize(("repeats", "runs", "least_bounded"), [(1, 40, 0.02), (3, 50, 0.4)])
def test_crossover_with_a_closed_form(simulate, repeats, runs, least_bounded):
    covered = wrong = bounded = 0
    for seed in range(runs):
        evidence, truth = simulate.crossing_pair(seed, repeats=repeats)
        judgement = judge(evidence, full_size=max(evidence.sizes))
        pairs = judgement.pairs
        wrong += bool(
            (
                pairs["decision"].str.startswith("second") & (pairs["size"] < truth)
                | pairs["decision"].str.startswith("first") & (pairs["size"] > truth)
            ).any()
        )
        found = judgement.crossovers
        bounded += found["kind"].iloc[0] == "bracket"
        covered += bool((found["kind"].ne("none") & ~(found["low"] > truth) & ~(found["high"] < truth)).any())
    assert runs - covered <= most(0.05, runs)
    assert wrong <= most(0.01, runs)
    assert bounded >= least_bounded * runs
