"""Variants go first, then second members of a family; blends with their members; whole families at last."""

import pytest

from tabbench.comparison.expendable import ensembles, expendable, families
from tabbench.comparison.plan import choose_contestants
from tabbench.core.approach import Workload
from tabbench.options import Options, default_approaches

WORKLOAD = Workload(0.3, 1000, 10, 2)


def contestants(names, **own):
    chosen = dict.fromkeys(names, "default") | own if own else list(names)
    return choose_contestants(Options(approaches=chosen).checked())


def names_of(groups):
    return [sorted(group) for group in groups]


def test_the_order_of_the_usual_approaches():
    usual = contestants(default_approaches(6.0))
    assert names_of(expendable(usual, WORKLOAD)) == [["mlp+forest"], ["linear+forest"], ["linear+pca"], ["forest"]]
    assert names_of(ensembles(usual, WORKLOAD)) == [["blend"], ["boosting", "xgboost"]]
    assert names_of(families(usual)) == [["mlp", "mlp+forest"], ["boosting", "forest", "lightgbm", "xgboost"]]


@pytest.mark.parametrize("names", [("linear",), ("forest", "linear"), ("lightgbm", "mlp")])
def test_who_stands_for_a_family_is_never_given_up_alone(names):
    given = contestants(names)
    assert expendable(given, WORKLOAD) == () and ensembles(given, WORKLOAD) == ()
    assert len(families(given)) == len(names) - 1


def test_an_estimator_of_ones_own_is_never_given_up():
    from sklearn.dummy import DummyClassifier

    given = contestants(("linear", "linear+pca", "boosting", "lightgbm", "xgboost"), mine=DummyClassifier())
    groups = [*expendable(given, WORKLOAD), *ensembles(given, WORKLOAD), *families(given)]
    assert not any("mine" in group or "dummy" in group for group in groups)
