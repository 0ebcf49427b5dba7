"""What is found of many columns at once is what each of them gives alone."""

import numpy as np
import pytest

from tabbench.checks import blocks
from tabbench.checks.columns import BINS, Sample


@pytest.fixture(params=["binary", "multiclass", "regression"])
def sample(checked_of, request):
    rng = np.random.default_rng(0)
    features = {"fine": rng.normal(size=300), "counts": rng.poisson(0.3, 300).astype(float), "gaps": rng.normal(size=300),
                "levels": rng.integers(0, 40, 300).astype(float), "half": np.repeat([0.0, 1.0], 150)}
    features["gaps"][rng.random(300) < 0.4] = np.nan
    targets = {"binary": features["fine"] > 0, "multiclass": rng.integers(0, 4, 300), "regression": features["levels"]}
    return Sample.of(checked_of(features, targets[request.param], request.param))


def test_shares_of_the_target_of_all_columns_at_once_are_those_of_each(sample, monkeypatch):
    alone = [max(sample.explained_share(values), sample.repeated_share(values.exact_codes)) for values in sample.columns]
    np.testing.assert_allclose(sample.shares_alone, alone, atol=1e-9)
    np.testing.assert_allclose(sample.explained_shares(sample.columns), list(map(sample.explained_share, sample.columns)),
                               atol=1e-9)
    monkeypatch.setattr(blocks, "BLOCK_CELLS", 700)
    np.testing.assert_allclose(blocks.shares_alone(sample.matrix, sample.outcomes, BINS), alone, atol=1e-9)


def test_repeats_of_all_columns_at_once_are_those_of_each(sample):
    found = sample.repeats
    for place, values in enumerate(sample.columns):
        counts = np.bincount(values.exact_codes)
        assert found.distinct[place] == len(counts)
        assert found.commonest[place] == counts.max()
        assert found.repeated_values[place] == np.count_nonzero(counts > 1)
        assert found.repeated_rows[place] == counts[counts > 1].sum()
        assert found.missing[place] == np.isnan(values.values).sum()
