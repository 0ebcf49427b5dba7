"""Models that were changed on purpose and carry right digests predict or are refused; none reaches a library that trusts it."""

import importlib.util
import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from tabbench.approaches.composed import find_approach
from tabbench.boosting.lightgbm_text import trees_alone
from tabbench.boosting.xgboost_json import require_sound
from tabbench.comparison.predict import predict
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.errors import BadData
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts, require_binary_tree
from tabbench.core.task import Task
from tabbench.model.predicting import parts_suspected

TOOL = Path(__file__).parents[2] / "tools" / "crafted_models.py"
TASK = Task("binary", ("no", "yes"), "log_loss", ("log_loss",))


def parts_of(name, effort=0.02):
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, 200)
    values = np.column_stack([generator.normal(size=200), codes]).astype(np.float32)
    approach = find_approach(name)
    target = (values[:, 0] + (codes == 2) > 0.3).astype(np.int64)
    settings, matrix = approach.settings(Workload(effort, 200, 2, 2)), TreeMatrix(values, (0, 4), ("x", "c"))
    return approach.fit(TrainingSet(matrix, target, TASK, settings, seed=1, shared_seed=1)).to_parts()


@pytest.fixture(scope="module")
def text():
    return next(iter(parts_of("lightgbm").blobs.values())).decode()


@pytest.fixture(scope="module")
def blob():
    return next(iter(parts_of("xgboost").blobs.values()))


def test_what_lightgbm_wrote_is_handed_on_without_its_parameters(text):
    alone = trees_alone(text)
    assert alone.startswith(text[:text.index("end of trees")]) and "parameters" not in alone


def in_line(name, change):
    """Text whose first line of this name has another value; the sizes of the trees follow."""
    def changed(text):
        head, _, rest = text.partition("\n\n")
        start = rest.index(f"\n{name}=") + len(name) + 2
        end = rest.index("\n", start)
        new = change(rest[start:end])
        sizes = head[head.index("tree_sizes=") + 11:].split(" ")
        first = str(int(sizes[0]) + len(new) - (end - start))
        head = head.replace("tree_sizes=" + sizes[0], "tree_sizes=" + first)
        return f"{head}\n\n{rest[:start]}{new}{rest[end:]}"

    return changed


@pytest.mark.parametrize("change", [
    in_line("left_child", lambda value: "99 " + value.partition(" ")[2]),
    in_line("left_child", lambda value: "0 " + value.partition(" ")[2]),
    in_line("right_child", lambda value: "-999 " + value.partition(" ")[2]),
    in_line("split_feature", lambda value: "7 " + value.partition(" ")[2]),
    in_line("split_feature", lambda value: "-1 " + value.partition(" ")[2]),
    in_line("num_leaves", lambda value: "1000000"),
    in_line("leaf_value", lambda value: "nan " + value.partition(" ")[2]),
    in_line("leaf_value", lambda value: value + " 1"),
    in_line("decision_type", lambda value: "13 " + value.partition(" ")[2]),
    in_line("is_linear", lambda value: "1"),
    in_line("threshold", lambda value: "1_0 " + value.partition(" ")[2]),
    lambda text: text.replace("max_feature_idx=1", "max_feature_idx=0"),
    lambda text: text.replace("num_class=1", "num_class=2"),
    lambda text: text.replace("num_class=1\n", "num_class=1\nnum_class=9\n"),
    lambda text: text.replace("objective=binary sigmoid:1", "objective=custom"),
    lambda text: text.replace("tree_sizes=", "tree_sizes=1 "),
    lambda text: text[:len(text) // 3],
    lambda text: "",
])
def test_changed_trees_of_lightgbm_are_refused(text, change):
    assert change(text) != text
    with pytest.raises(BadData, match="damaged or was changed"):
        trees_alone(change(text))


def in_tree(name, place, value):
    """A model one of whose trees has another value in a list."""
    def changed(document):
        document["learner"]["gradient_booster"]["model"]["trees"][0][name][place] = value

    return changed


def entry(*path, value):
    """A model with another value at this path."""
    def changed(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return changed


MODEL = ("learner", "gradient_booster", "model")


@pytest.mark.parametrize("change", [
    in_tree("left_children", 0, 10**6), in_tree("left_children", 0, 0), in_tree("right_children", 0, -7),
    in_tree("split_indices", 0, 2), in_tree("split_indices", 0, -1), in_tree("split_type", 0, 9), in_tree("parents", 1, 5),
    in_tree("split_conditions", 0, 1e300), in_tree("split_conditions", 0, "1"),
    entry(*MODEL, "tree_info", 0, value=3), entry(*MODEL, "gbtree_model_param", "num_trees", value="9999"),
    entry(*MODEL, "iteration_indptr", 0, value=-1), entry(*MODEL, "trees", value=[]),
    entry(*MODEL, "trees", 0, "categories_nodes", value=[10**6]), entry(*MODEL, "trees", 0, "tree_param", "num_nodes", value="1"),
    entry("learner", "learner_model_param", "num_feature", value="1"),
    entry("learner", "learner_model_param", "num_class", value="40"),
    entry("learner", "learner_model_param", "base_score", value="[" * 1000),
    entry("learner", "objective", "name", value="rank:ndcg"), entry("learner", "gradient_booster", "name", value="dart"),
    entry("learner", "attributes", value={"a": "b"}), entry("learner", value=None),
])
def test_changed_trees_of_xgboost_are_refused(blob, change):
    require_sound(blob)
    document = json.loads(blob)
    change(document)
    with pytest.raises(BadData, match="damaged or was changed"):
        require_sound(json.dumps(document, separators=(",", ":")).encode())


@pytest.mark.parametrize("change", [
    lambda blob: b"", lambda blob: b" " + blob, lambda blob: b"{L\x00" + blob, lambda blob: blob[:-1], lambda blob: b'{"' * 10**5,
    lambda blob: blob.replace(b'"name":"gbtree"', b'"name":"gbtree","name":"dart"')])
def test_other_forms_and_repeated_entries_are_refused(blob, change):
    with pytest.raises(BadData, match="damaged or was changed"):
        require_sound(change(blob))


@pytest.mark.parametrize(("name", "value"), [
    ("left_child", 10**6), ("left_child", 0), ("right_child", -1), ("feature", 50), ("feature", -3), ("node_count", -1),
    ("node_count", 10**6), ("max_depth", -1), ("values", np.nan)])
def test_changed_trees_of_a_forest_are_refused(name, value):
    parts = parts_of("forest")
    array = parts.arrays[name].copy()
    array.reshape(-1)[0] = value
    with pytest.raises(BadData, match="damaged or was changed"):
        find_approach("forest").restore(Parts(parts.values, {**parts.arrays, name: array}))


def test_nodes_that_form_no_tree_are_refused():
    for left, right in [([1, 0], [2, 0]), ([1, -1, -1], [1, -1, -1]), ([2, -1, -1], [-1, -1, -1]), ([], [])]:
        with pytest.raises(BadData, match="tree"):
            require_binary_tree(np.array(left), np.array(right))
    require_binary_tree(np.array([1, -1, -1]), np.array([2, -1, -1]))


@pytest.mark.parametrize("error", [KeyError("a"), IndexError("b"), TypeError("c"), RuntimeError("d\ne"), MemoryError(),
                                   ZeroDivisionError()])
def test_whatever_stumbles_over_parts_is_a_sentence(error):
    words = rf"don't fit together or don't fit the rows \({type(error).__name__}"
    with pytest.raises(BadData, match=words), parts_suspected("linear"):
        raise error


@pytest.mark.filterwarnings("ignore")  # changed numbers make all kinds of noise on their way to a refusal
def test_models_changed_at_random_predict_or_are_refused(tmp_path):
    spec = importlib.util.spec_from_file_location("crafted_models", TOOL)
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool  # dataclasses look for their module
    spec.loader.exec_module(tool)
    model, rows = tool.fitted("lightgbm", "binary", tmp_path), tool.table(40, seed=1)
    for number in range(30):
        what, changed = tool.crafted(model, random.Random(number))
        changed.write(tmp_path / "crafted.tabbench")
        how, said = tool.attempt(lambda: f"{len(predict(tmp_path / 'crafted.tabbench', rows)[0])} rows")
        assert how in ("read", "refused"), (number, what, said)
