"""The command and the function offer the same options with the same defaults, and values are checked before anything runs."""

import inspect
from dataclasses import fields

import pytest

from tabbench.cli import compare_command
from tabbench.compare import compare
from tabbench.core.errors import BadOption
from tabbench.options import Options

ONLY_IN_PYTHON = {"data", "target", "splits"}
ONLY_ON_THE_COMMAND_LINE = {"data", "target", "json"}


def test_the_command_and_the_function_have_the_same_options_and_defaults():
    function = inspect.signature(compare).parameters
    command = inspect.signature(compare_command).parameters
    declared = {each.name: each.default for each in fields(Options)}
    assert set(function) - ONLY_IN_PYTHON == set(command) - ONLY_ON_THE_COMMAND_LINE == set(declared) - {"target"}
    for name, default in declared.items():
        assert function[name].default == default, name
        of_command = command[name].default
        assert of_command == default or of_command == str(default) or (of_command == [] and default == ()), name


@pytest.mark.parametrize("values, message", [
    ({"preset": "quick"}, "--preset has no value 'quick'; there are: fast, balanced, thorough"),
    ({"preset": "balancd"}, "--preset has no value 'balancd'; did you mean 'balanced'?"),
    ({"folds": "1"}, "--folds must be a whole number of at least 2, not '1'"),
    ({"folds": "many"}, "--folds must be a whole number of at least 2, not 'many'"),
    ({"folds": 2.5}, "--folds must be a whole number of at least 2, not 2.5"),
    ({"jobs": 0}, "--jobs must be a whole number of at least 1, not 0"),
    ({"margin": "-1"}, "--margin must be a number of at least 0, not '-1'"),
    ({"margin": "nan"}, "--margin must be a number of at least 0, not 'nan'"),
    ({"time_limit": "soon"}, "--time-limit must be a positive amount such as 90, 90s, 10m or 1h, not 'soon'"),
    ({"time_limit": "0"}, "--time-limit must be a positive amount such as 90, 90s, 10m or 1h, not '0'"),
    ({"memory_limit": "8 bananas"}, "--memory-limit must be a positive amount such as 8GB or 500MB, not '8 bananas'"),
    ({"memory_limit": "8"}, "--memory-limit 8 has no unit; say 8GB or 500MB"),
    ({"approaches": " , "}, "--approaches names none; leave it out for the preset's list, or name some: linear,boosting"),
    ({"fold": "f", "test": "t.csv"}, "--fold and --test both say how to split; give one of them"),
    ({"fold": "f", "repeats": 3}, "--repeats 3 does not go with --fold: your own splits are used once; leave --repeats out"),
])
def test_a_bad_value_is_one_sentence(values, message):
    with pytest.raises(BadOption) as caught:
        Options(**values).checked()
    assert str(caught.value) == message


def test_values_as_typed_and_as_python_values_mean_the_same():
    typed = Options(folds="3", seed="7", time_limit="10m", memory_limit="8GB", drop="a,b,c", approaches="linear, boosting")
    python = Options(folds=3, seed=7, time_limit=600, memory_limit=8_000_000_000, drop=("a", "b", "c"),
                     approaches=["linear", "boosting"])
    assert typed.checked() == python.checked()


def test_checking_twice_changes_nothing():
    once = Options(time_limit="1h", drop="a,b").checked()
    assert once.checked() == once
