"""The command and the function offer the same options with the same defaults, and values are checked before anything runs."""

import inspect
import pickle
from dataclasses import fields
from itertools import pairwise

import pandas as pd
import pytest

from tabbench.commands.compare import compare_command
from tabbench.comparison.check import check
from tabbench.comparison.compare import compare
from tabbench.core.errors import BadOption
from tabbench.options import DEFAULT_EFFORT, Options, default_approaches

ALIASES = {"cv", "scoring", "groups", "sample_weight", "random_state", "n_jobs"}
ONLY_IN_PYTHON = {"data", "target", "splits", "calibrate", *ALIASES}
ONLY_ON_THE_COMMAND_LINE = {"data", "target", "json"}


def test_the_command_and_the_function_have_the_same_options_and_defaults():
    function = inspect.signature(compare).parameters
    command = inspect.signature(compare_command).parameters
    declared = {each.name: each.default for each in fields(Options) if not each.metadata["is_pythons"]}
    assert set(function) - ONLY_IN_PYTHON == set(command) - ONLY_ON_THE_COMMAND_LINE == set(declared) - {"target"}
    for name, default in declared.items():
        assert function[name].default == default, name
        of_command = command[name].default
        assert of_command == default or of_command == str(default) or (of_command == [] and not default), name


@pytest.mark.parametrize("values, message", [
    ({"preset": "quick"}, "--preset has no value 'quick'; there are: fast, balanced, thorough"),
    ({"preset": "balancd"}, "--preset has no value 'balancd'; did you mean 'balanced'?"),
    ({"effort": "much"}, "--effort must be a number from 0.01 to 100, not 'much'"),
    ({"effort": 0.001}, "--effort must be a number from 0.01 to 100, not 0.001"),
    ({"effort": "nan"}, "--effort must be a number from 0.01 to 100, not 'nan'"),
    ({"effort": True}, "--effort must be a number from 0.01 to 100, not True"),
    ({"effort": "Fast"}, "--effort must be a number, of which fast is 0.1; or say --preset fast"),
    ({"effort": 1, "preset": "fast"}, "--effort and --preset both say how much work to do; give one of them"),
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
    ({"approaches": " , "}, "--approaches names none; leave it out for the usual list, or name some: linear,boosting"),
    ({"fold": "f", "test": "t.csv"}, "--fold and --test both say how to split; give one of them"),
    ({"fold": "f", "repeats": 3}, "--repeats 3 does not go with --fold: your own splits are used once; leave --repeats out"),
])
def test_a_bad_value_is_one_sentence(values, message):
    with pytest.raises(BadOption) as caught:
        Options(**values).checked()
    assert caught.value.typed == message
    assert "--" not in str(caught.value)


@pytest.mark.parametrize("values, message", [
    ({"time_limit": "soon"}, "time_limit must be a positive amount such as 90, 90s, 10m or 1h, not 'soon'"),
    ({"memory_limit": "8"}, "memory_limit='8' has no unit; say 8GB or 500MB"),
    ({"device": "--device"}, "device has no value '--device'; there are: auto, cpu, cuda"),
    ({"preset": "no value"}, "preset has no value 'no value'; there are: fast, balanced, thorough"),
    ({"effort": "Fast"}, "effort must be a number, of which fast is 0.1; or say preset='fast'"),
    ({"fold": "f", "test": "t.csv"}, "fold and test both say how to split; give one of them"),
    ({"use_folds": 2, "repeats": 3}, "use_folds=2 is of one repeat and does not go with repeats=3; leave one of them out"),
    ({"fold": "f", "repeats": 3}, "repeats=3 does not go with fold: your own splits are used once; leave repeats out"),
])
def test_a_program_reads_the_names_that_it_wrote(values, message):
    with pytest.raises(BadOption) as caught:
        Options(**values).checked()
    assert str(caught.value) == message
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.typed) == (message, caught.value.typed)


def test_a_mistake_in_the_data_names_options_as_they_were_given_too():
    frame = pd.DataFrame({"a": [number % 7 for number in range(40)], "label": list("uvwx") * 10})
    with pytest.raises(BadOption) as caught:
        check(frame, Options(target="label", task="binary").checked())
    assert str(caught.value) == "task='binary' needs two classes, but 'label' has 4; use task='multiclass'"
    assert caught.value.typed == "--task binary needs two classes, but 'label' has 4; use --task multiclass"


def test_values_as_typed_and_as_python_values_mean_the_same():
    typed = Options(folds="3", seed="7", time_limit="10m", memory_limit="8GB", drop="a,b,c", approaches="linear, boosting")
    python = Options(folds=3, seed=7, time_limit=600, memory_limit=8_000_000_000, drop=("a", "b", "c"),
                     approaches=["linear", "boosting"])
    assert typed.checked() == python.checked()


def test_the_effort_is_the_one_given_or_the_presets_or_the_default():
    assert [Options(**values).checked().work for values in ({"effort": "0.25"}, {"preset": "Thorough"}, {})] == [
        0.25, 6.0, DEFAULT_EFFORT]
    assert Options(effort="1").checked().effort == 1.0


def test_more_effort_compares_more_approaches_by_default():
    lists = [default_approaches(effort) for effort in (0.01, 0.1, 0.2, 0.49, 0.5, 1.0, 2.9, 3.0, 100.0)]
    assert [len(each) for each in lists] == [8, 8, 8, 8, 10, 10, 10, 11, 11]
    assert all(set(less) <= set(more) for less, more in pairwise(lists))


def test_checking_twice_changes_nothing():
    once = Options(time_limit="1h", drop="a,b", effort="0.5").checked()
    assert once.checked() == once


@pytest.mark.parametrize("beyond", [{"time_limit": "10s"}, {"memory_limit": "4GB"}, {"jobs": 2}])
def test_an_executor_is_not_given_limits_that_it_cannot_keep(beyond):
    [name] = beyond
    with pytest.raises(BadOption, match=f"{name}.* does not go with executor='in-process'.*; leave one of them out"):
        Options(executor="in-process", **beyond).checked()
    assert Options(executor="local", **beyond).checked().executor == "local"


def test_an_executor_that_runs_one_cell_at_a_time_is_planned_for_as_that():
    assert Options(executor="in-process").checked().jobs == 1 and Options().checked().jobs is None
