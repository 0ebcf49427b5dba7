"""Any registered approach as an estimator."""

import numpy as np
import pandas as pd
import pytest

from tabbench import ApproachClassifier, ApproachRegressor
from tabbench.core.errors import BadOption, UnknownName

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(120, 3)), columns=list("abc")).assign(colour=RNG.choice(["red", "blue"], 120))
Y = X["b"] + (X["colour"] == "red")
LITTLE = {"effort": 0.01, "random_state": 0}


@pytest.mark.parametrize("approach", ["forest", "linear+pca", "blend", "tabm", "catboost"])
def test_every_kind_of_approach_is_an_estimator(approach):
    if approach == "catboost":
        pytest.importorskip("catboost")
    model = ApproachRegressor(approach, **LITTLE).fit(X, Y)
    assert model.score(X, Y) > 0.3 and model.tuned_


def test_a_forest_knows_how_important_columns_are():
    model = ApproachClassifier("forest", **LITTLE).fit(X, Y > 0.5)
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    assert X.columns[model.feature_importances_.argsort()[:-3:-1]].tolist() == ["b", "colour"]
    assert not hasattr(ApproachClassifier("linear", **LITTLE).fit(X, Y > 0.5), "feature_importances_")


def test_mistakes_are_told():
    with pytest.raises(UnknownName, match="did you mean 'forest'"):
        ApproachClassifier("forrest").fit(X, Y > 0)
    with pytest.raises(BadOption, match="approach must be a name such as 'forest'"):
        ApproachClassifier(None).fit(X, Y > 0)
