"""Which metrics are reported, and which decides."""

import pytest
from sklearn.metrics import get_scorer_names

from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.metric import METRICS
from tabbench.metrics.choice import NAMES_OF_SCIKIT_LEARN, choose_metrics, default_metrics


@pytest.mark.parametrize(("kind", "first"), [("binary", "log_loss"), ("multiclass", "log_loss"), ("regression", "rmse")])
def test_the_deciding_metric_comes_first(kind, first):
    defaults = default_metrics(kind)
    assert defaults[0] == first and choose_metrics(kind, None) == defaults
    assert all(kind in METRICS.get(name).tasks for name in defaults)
    last = defaults[-1]
    assert choose_metrics(kind, last) == (last, *defaults[:-1])


def test_all_metrics_of_the_contract_are_there():
    assert set(METRICS.names()) >= {*default_metrics("binary"), *default_metrics("regression")}
    margins = {name: METRICS.get(name).absolute_margin for name in METRICS.names()}
    assert margins["accuracy"] == 0.01 and margins["auc"] == 0.005 and margins["log_loss"] is margins["rmse"] is None


def test_wrong_metrics_are_refused():
    with pytest.raises(UnknownName, match="did you mean 'log_loss'"):
        choose_metrics("binary", "logloss")
    with pytest.raises(BadOption, match="metric rmse does not apply to a binary task; choose one of: accuracy, auc"):
        choose_metrics("binary", "rmse")


def test_several_metrics_are_reported_in_the_order_given():
    assert choose_metrics("binary", "f1,auc")[:3] == ("f1", "auc", "log_loss")
    assert choose_metrics("binary", ["mcc"])[0] == "mcc"


def test_the_names_of_scikit_learn_are_known():
    assert choose_metrics("binary", "roc_auc")[0] == "auc"
    assert choose_metrics("regression", "neg_root_mean_squared_error")[0] == "rmse"
    assert choose_metrics("multiclass", "matthews_corrcoef")[0] == "mcc"
    for names in NAMES_OF_SCIKIT_LEARN.items():
        assert names[0] in get_scorer_names() and names[1] in METRICS
