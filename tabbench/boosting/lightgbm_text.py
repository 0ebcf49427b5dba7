"""LightGBM's text form, checked line by line before the library parses it: it trusts every number of it.

What is handed on is the trees alone, in the one layout that the library writes. Imports no library.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tabbench.core.parts import damaged, require

HEAD = ("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
        "feature_infos", "tree_sizes")
INNER = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
INTERNAL = ("internal_value", "internal_weight", "internal_count")
CATEGORIES = ("cat_boundaries", "cat_threshold")
WHOLE = frozenset({"split_feature", "decision_type", "left_child", "right_child", *CATEGORIES})
OBJECTIVE = re.compile(r"binary sigmoid:1|multiclass num_class:(\d{1,4})|regression|regression_l1")
END, AFTER = "end of trees\n", "\npandas_categorical:null\n"
NUMBERS, WHOLE_NUMBERS = re.compile(r"[-+0-9.einfa ]*"), re.compile(r"[-0-9 ]*")
MOST_DECISION = 11
"""Of a decision's bits the first says "category", the second where missing values go, the others which these are (0, 1, 2)."""


def trees_alone(text: str) -> str:
    """The head and the trees of a model, without what the library keeps beside them.

    Raises
    ------
    BadData
        The library could not have written it.
    """
    body, end, _ = text.partition(END)
    head, blank, trees = body.partition("\n\n")
    require(text.isascii() and bool(end) and bool(blank) and head.startswith("tree\n"), "it holds no LightGBM model")
    values = _entries(head.removeprefix("tree\n").split("\n"), HEAD)
    columns = _require_head(values)
    start = 0
    for number, size in enumerate(_whole(values["tree_sizes"])):
        _require_tree(trees[start:start + size], number, columns)
        start += size
    require(start == len(trees), "the sizes of its trees are wrong")
    return body + END + AFTER


def _require_head(values: dict[str, str]) -> int:
    """Check the head; gives the number of columns."""
    objective = OBJECTIVE.fullmatch(values["objective"])
    if objective is None or values["version"] != "v4" or values["label_index"] != "0":
        raise damaged("its head is not LightGBM's")
    outputs = int(objective[1] or 1)
    columns = _one(values["max_feature_idx"]) + 1
    trees = len(_whole(values["tree_sizes"]))
    require(outputs > 0 and _one(values["num_class"]) == _one(values["num_tree_per_iteration"]) == outputs and columns > 0
            and trees > 0 and trees % outputs == 0, "the numbers of its head don't fit together")
    require(values["feature_names"].split(" ") == [f"Column_{column}" for column in range(columns)]
            and len(values["feature_infos"].split(" ")) == columns, "it names other columns than it has")
    return columns


def _require_tree(block: str, number: int, columns: int) -> None:
    first, _, rest = block.partition("\n")
    require(first == f"Tree={number}" and rest.endswith("\n\n\n"), "a tree is not where its size says")
    lines = rest[:-3].split("\n")
    n_categories = _one(lines[1].partition("=")[2]) if len(lines) > 1 else 0
    values = _entries(lines, ("num_leaves", "num_cat", *INNER, *LEAVES, *INTERNAL, *(CATEGORIES if n_categories else ()),
                              "is_linear", "shrinkage"))
    leaves = _one(values["num_leaves"])
    require(leaves > 0 and values["is_linear"] == "0" and len(_numbers(values["shrinkage"])) == 1, "a tree's head is wrong")
    if leaves == 1:
        require(bool(np.isfinite(_numbers(values["leaf_value"])).all()) and len(_numbers(values["leaf_value"])) == 1
                and n_categories == 0 and not any(values[name] for name in INNER), "a tree of one leaf has more")
        return
    arrays = {name: (_whole if name in WHOLE else _numbers)(values[name]) for name in (*INNER, *LEAVES, *INTERNAL)}
    require(all(len(arrays[name]) == leaves - 1 for name in (*INNER, *INTERNAL))
            and all(len(arrays[name]) == leaves for name in LEAVES), "a tree has too few or too many nodes")
    _require_nodes(arrays, columns)
    _require_categories(arrays, n_categories, values)


def _require_nodes(arrays: dict[str, np.ndarray], columns: int) -> None:
    count, feature = len(arrays["split_feature"]), arrays["split_feature"]
    children = np.concatenate([arrays["left_child"], arrays["right_child"]])
    later = children > np.concatenate([np.arange(count), np.arange(count)])
    # Inner nodes are counted from 0, leaves downwards from -1; the first node is nobody's child.
    is_tree = np.array_equal(np.sort(children), np.concatenate([np.arange(-count - 1, 0), np.arange(1, count)]))
    require(is_tree and bool((later | (children < 0)).all()), "a tree's nodes don't form a tree")
    require(bool((feature >= 0).all() and (feature < columns).all()), "a tree splits a column that there is not")
    require(bool(np.isfinite(arrays["leaf_value"]).all() and not np.isnan(arrays["threshold"]).any()),
            "a tree holds numbers that are not finite")
    decision = arrays["decision_type"]
    require(bool((decision >= 0).all() and (decision <= MOST_DECISION).all()), "a tree decides in an unknown way")


def _require_categories(arrays: dict[str, np.ndarray], count: int, values: dict[str, str]) -> None:
    place = arrays["threshold"][arrays["decision_type"] % 2 == 1]
    require(bool(((place >= 0) & (place < count) & (place == np.floor(place))).all()), "a tree's categories point outside")
    if count:
        ends, sets = _whole(values["cat_boundaries"]), _whole(values["cat_threshold"])
        require(len(ends) == count + 1 and ends[0] == 0 and ends[-1] == len(sets) and bool((np.diff(ends) > 0).all())
                and bool((sets >= 0).all() and (sets < 2**32).all()), "a tree's categories don't fit together")


def _entries(lines: list[str], names: tuple[str, ...]) -> dict[str, str]:
    """The lines `name=value` in exactly this order."""
    pairs = [line.partition("=") for line in lines]
    require(tuple(name for name, _, _ in pairs) == names and all(sign for _, sign, _ in pairs), "lines are missing or unknown")
    return {name: value for name, _, value in pairs}


def _numbers(text: str) -> np.ndarray:
    return _read(text, NUMBERS, np.float64)


def _whole(text: str) -> np.ndarray:
    return _read(text, WHOLE_NUMBERS, np.int64)


def _read(text: str, pattern: re.Pattern[str], kind: type[np.number[Any]]) -> np.ndarray:
    require(pattern.fullmatch(text) is not None, "a number cannot be read")
    try:
        return np.array(text.split(), dtype=kind)
    except (ValueError, OverflowError) as error:
        raise damaged("a number cannot be read") from error


def _one(text: str) -> int:
    require(re.fullmatch(r"\d{1,9}", text) is not None, "a whole number cannot be read")
    return int(text)
