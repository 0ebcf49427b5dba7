"""Products of sparse rows, some of whose columns are filled."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabbench.linear import sparse_gram


@pytest.mark.parametrize("filled", [0, 2, 5], ids=["all rare", "some filled", "all filled"])
def test_the_products_are_those_of_the_dense_rows(filled, monkeypatch):
    monkeypatch.setattr(sparse_gram, "BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 5)) * (rng.random((30, 5)) < 0.15)
    values[:, [4, 1, 0, 3, 2][:filled]] = rng.normal(size=(30, filled))
    weight = rng.random(30)
    products = sparse_gram.sparse_gram(csr_array(values), weight)
    np.testing.assert_allclose(products, values.T @ (values * weight[:, None]), atol=1e-12)
