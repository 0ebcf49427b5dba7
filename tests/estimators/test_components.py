"""Principal components of tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from tabbench import TabularPCA
from tabbench.core.errors import BadOption

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3)) @ RNG.normal(size=(3, 5))


def test_of_scaled_numbers_they_are_those_of_scikit_learn():
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    ours, theirs = TabularPCA(2).fit(X), PCA(2).fit(scaled)
    np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, atol=1e-6)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(scaled)), atol=1e-5)


def test_a_share_of_the_variance_says_how_many_are_kept():
    assert TabularPCA().fit(X).transform(X).shape == TabularPCA(0.999999).fit(X).transform(X).shape == (100, 3)
    assert TabularPCA(0.01).fit(X).transform(X).shape == TabularPCA(1).fit(X).transform(X).shape == (100, 1)
    with pytest.raises(BadOption, match="n_components is 0"):
        TabularPCA(0).fit(X)


def test_frames_with_categories_become_frames_if_asked():
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"], index=range(7, 107)).assign(kind=RNG.choice(["x", "y", "z"], 100))
    made = TabularPCA(2).set_output(transform="pandas").fit_transform(frame)
    assert made.columns.tolist() == ["tabularpca0", "tabularpca1"] and made.index.equals(frame.index)
