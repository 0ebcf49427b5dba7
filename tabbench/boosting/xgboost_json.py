"""XGBoost's JSON form, checked before the library parses it: it trusts every index of it. Imports no library."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from tabbench.core.parts import require, require_binary_tree

NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
BASE_SCORE = re.compile(rf"{NUMBER}|\[{NUMBER}(?:,{NUMBER})*\]")
OBJECTIVES = {"binary:logistic": "reg_loss_param", "reg:squarederror": "reg_loss_param", "reg:absoluteerror": None,
              "multi:softprob": "softmax_multiclass_param"}
NO_CATEGORIES_OF_ITS_OWN: dict[str, list[Any]] = {"enc": [], "feature_segments": [], "sorted_idx": []}
NODES = {"base_weights": "f", "default_left": "i", "left_children": "i", "loss_changes": "f", "parents": "i",
         "right_children": "i", "split_conditions": "f", "split_indices": "i", "split_type": "i", "sum_hessian": "f"}
CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
MOST_CATEGORIES = 2**16
"""The view makes at most some thousand codes; the library reserves memory by the largest that it is told of."""
NO_PARENT = 2**31 - 1


def require_sound(blob: bytes) -> None:
    """Refuse what the library could not have written.

    Raises
    ------
    BadData
        Another layout, an index that points outside, a tree that is none.
    """
    # The binary form begins otherwise, and so would blanks, after which the library reads on in a third form.
    require(blob.startswith(b'{"'), "it holds no XGBoost model")
    try:
        document = json.loads(blob, object_pairs_hook=_without_repetition, parse_constant=_refused)
    except (ValueError, RecursionError):
        document = None
    learner = _entries(document, {"learner", "version"})["learner"]
    learner = _entries(learner, {"attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param",
                                 "objective"})
    columns, outputs = _require_head(learner)
    booster = _entries(learner["gradient_booster"], {"model", "name"})
    require(booster["name"] == "gbtree", "it holds no trees")
    _require_trees(booster["model"], columns, outputs)


def _require_head(learner: dict[str, Any]) -> tuple[int, int]:
    """Check what is not about trees; gives the numbers of columns and of outputs."""
    sizes = _entries(learner["learner_model_param"], {"base_score", "num_class", "num_feature", "num_target"},
                     {"boost_from_average"})
    columns, classes = _whole(sizes["num_feature"]), _whole(sizes["num_class"])
    require(columns > 0 and _whole(sizes["num_target"]) == 1 and sizes.get("boost_from_average", "1") in ("0", "1")
            and BASE_SCORE.fullmatch(str(sizes["base_score"])) is not None, "the numbers of its head are wrong")
    require(learner["attributes"] == {} and learner["feature_names"] == [], "it holds names of its own")
    types = learner["feature_types"]
    require(isinstance(types, list) and len(types) == columns and all(each in ("q", "c") for each in types),
            "it names other columns than it has")
    objective = learner["objective"]
    parameter = OBJECTIVES.get(str(objective.get("name"))) if isinstance(objective, dict) else None
    objective = _entries(objective, {"name", *([parameter] if parameter else [])})
    require(objective["name"] in OBJECTIVES, "its objective is unknown")
    is_multiclass = objective["name"] == "multi:softprob"
    if parameter:
        [(_, value)] = _entries(objective[parameter], {"num_class" if is_multiclass else "scale_pos_weight"}).items()
        require(value == (sizes["num_class"] if is_multiclass else "1"), "its objective and its head differ")
    require((classes > 1) == is_multiclass and str(sizes["base_score"]).count(",") in (0, classes - 1),
            "its objective and its head differ")
    return columns, max(1, classes)


def _require_trees(model: Any, columns: int, outputs: int) -> None:
    model = _entries(model, {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}, {"cats"})
    sizes = _entries(model["gbtree_model_param"], {"num_parallel_tree", "num_trees"})
    trees = model["trees"]
    require(isinstance(trees, list) and len(trees) > 0 and _whole(sizes["num_trees"]) == len(trees)
            and sizes["num_parallel_tree"] == "1" and len(trees) % outputs == 0, "it has another number of trees than it says")
    require(model.get("cats", NO_CATEGORIES_OF_ITS_OWN) == NO_CATEGORIES_OF_ITS_OWN, "it holds categories of its own")
    rounds = _array(model["iteration_indptr"], "i")
    owners = _array(model["tree_info"], "i")
    require(np.array_equal(rounds, np.arange(0, len(trees) + 1, outputs))
            and np.array_equal(owners, np.arange(len(trees)) % outputs), "its rounds and its trees don't fit together")
    for tree in trees:
        _require_tree(tree, columns)


def _require_tree(tree: Any, columns: int) -> None:
    tree = _entries(tree, {*NODES, *CATEGORIES, "id", "tree_param"})
    sizes = _entries(tree["tree_param"], {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"})
    nodes = {name: _array(tree[name], kind) for name, kind in NODES.items()}
    count = _whole(sizes["num_nodes"])
    require(all(len(array) == count for array in nodes.values()) and _whole(sizes["num_feature"]) == columns
            and sizes["num_deleted"] == "0" and sizes["size_leaf_vector"] in ("0", "1") and isinstance(tree["id"], int)
            and 0 <= tree["id"] < NO_PARENT, "a tree's head is wrong")
    left, right = nodes["left_children"], nodes["right_children"]
    require_binary_tree(left, right)
    parents = np.full(count, NO_PARENT)
    inner = np.flatnonzero(left != -1)
    parents[left[inner]] = parents[right[inner]] = inner
    require(np.array_equal(parents, nodes["parents"]), "a tree's nodes don't form a tree")
    require(_is_within(nodes["split_indices"], columns) and _is_within(nodes["default_left"], 2)
            and _is_within(nodes["split_type"], 2), "a tree splits a column that there is not")
    require(bool((np.abs(nodes["split_conditions"]) <= np.finfo(np.float32).max).all()), "a tree's numbers are too large")
    _require_categories({name: _array(tree[name], "i") for name in CATEGORIES}, np.flatnonzero(nodes["split_type"]), left)


def _require_categories(categories: dict[str, np.ndarray], by_category: np.ndarray, left: np.ndarray) -> None:
    starts, sizes = categories["categories_segments"], categories["categories_sizes"]
    require(np.array_equal(categories["categories_nodes"], by_category) and bool((left[by_category] != -1).all())
            and len(starts) == len(sizes) == len(by_category) and bool((sizes > 0).all())
            and np.array_equal(starts, np.cumsum(sizes) - sizes) and int(sizes.sum()) == len(categories["categories"])
            and _is_within(categories["categories"], MOST_CATEGORIES), "a tree's categories don't fit together")


def _is_within(array: np.ndarray, end: int) -> bool:
    return array.size == 0 or bool(array.min() >= 0 and array.max() < end)


def _array(values: Any, kind: str) -> np.ndarray:
    """A flat list of numbers as an array; whole numbers ("i") or any ("f")."""
    kinds = (int,) if kind == "i" else (int, float)
    require(isinstance(values, list) and all(type(value) in kinds for value in values), "a list holds no numbers")
    array = np.array(values, dtype=np.float64)
    require(bool((np.abs(array) <= 2**53).all()) if kind == "i" else bool(np.isfinite(array).all()), "a number is too large")
    return array.astype(np.int64) if kind == "i" else array


def _whole(text: Any) -> int:
    require(isinstance(text, str) and re.fullmatch(r"\d{1,9}", text) is not None, "a whole number cannot be read")
    return int(text)


def _entries(value: Any, needed: set[str], optional: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    """A dictionary with exactly these entries."""
    is_known = isinstance(value, dict) and needed <= value.keys() <= needed | optional
    require(is_known, "entries are missing or unknown")
    entries: dict[str, Any] = value
    return entries


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of an entry that stands twice the library might take the other one."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry stands twice")
    return entries


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
