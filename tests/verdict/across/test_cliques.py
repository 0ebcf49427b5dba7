import pandas as pd
import pytest

from tabbench.verdict.across.cliques import cliques


def pairs(**decisions):
    rows = [(*name.split("_"), decision) for name, decision in decisions.items()]
    return pd.DataFrame(rows, columns=["first", "second", "decision"])


@pytest.mark.parametrize(("decisions", "expected"), [
    ({"a_b": "first", "a_c": "first", "b_c": "second"}, []),
    ({"a_b": "undecided", "a_c": "undecided", "b_c": "equal"}, [("a", "b", "c")]),
    ({"a_b": "undecided", "a_c": "first", "b_c": "undecided"}, [("a", "b"), ("b", "c")]),
    ({"a_b": "first", "a_c": "undecided", "b_c": "undecided"}, [("b", "c")]),
])
def test_a_clique_has_no_pair_that_differs_and_is_in_no_other(decisions, expected):
    assert cliques(["a", "b", "c"], pairs(**decisions)) == expected


def test_an_approach_in_between_that_differs_breaks_a_clique():
    # a and d are not told apart, but b lies between them and is worse than a: a bar from a to d would say otherwise.
    found = cliques(list("abd"), pairs(a_b="first", a_d="undecided", b_d="undecided"))
    assert found == [("b", "d")]
