"""A random forest on the trees' view: missing values stay missing, categories are their codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tabbench.approaches.tuning import Trial, unit_weight
from tabbench.core.approach import APPROACHES, Approach, Settings, TrainingSet, Workload
from tabbench.core.effort import counted, nearest, scaled
from tabbench.core.finding import Incident
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts, require, require_binary_tree
from tabbench.linear.rows import lowest

TREES = {"fast": 50, "balanced": 100, "thorough": 400}
LEAVES = {"fast": [3], "balanced": [1, 3, 10], "thorough": [1, 2, 4, 8, 16]}
"""Smallest leaves. Log loss likes several rows a leaf, whatever the table; the exact number is worth a trial."""
FEATURE_SHARES: dict[str, list[float | str]] = {
    "fast": ["sqrt"], "balanced": ["sqrt", 0.5], "thorough": ["sqrt", 0.33, 0.66]}
TREE_CELLS = {"fast": 20_000_000, "balanced": 40_000_000, "thorough": 300_000_000}
"""Bounds trees x rows a tree x square root of the columns x square root of the outputs: about a second in 15 million."""
NUMBER_COST = 4
"""Trees of a number grow that much deeper, try more columns a split, and cost accordingly."""
FEWEST_ROWS_PER_TREE = 2000
FEWEST_TREES = 20
TRIAL_TREES = 50
TRIAL_ROWS = {"fast": 1_600, "balanced": 4_000, "thorough": 10_000}
"""None where there is nothing to try, as in the fast preset."""
HOLDOUT = 0.3
MOST_FEATURES = 2**31


def forest_settings(workload: Workload) -> Settings:
    """Trees, rows a tree, and the leaves and feature shares that are tried."""
    effort, leaves, shares = workload.effort, nearest(workload.effort, LEAVES), _feature_shares(workload)
    shape = float(np.sqrt(workload.columns * workload.outputs)) * (1 if workload.classes else NUMBER_COST)
    cells_per_tree = scaled(effort, **{name: TREE_CELLS[name] / TREES[name] for name in TREES})
    return {"trees": counted(effort, **TREES, least=FEWEST_TREES), "leaves": leaves, "feature_shares": shares,
            "rows_per_tree": max(FEWEST_ROWS_PER_TREE, int(cells_per_tree / shape)), "trial_trees": TRIAL_TREES,
            "trial_rows": counted(effort, **TRIAL_ROWS) if len(leaves) * len(shares) > 1 else 0}


def _feature_shares(workload: Workload) -> list[float | str]:
    """A number needs more columns a split than a class: the square root of the columns is too few for it."""
    shares = nearest(workload.effort, FEATURE_SHARES)
    return shares if workload.classes else [0.33 if share == "sqrt" else share for share in shares]


@dataclass(frozen=True, eq=False)
class FittedForest:
    """Grown trees of scikit-learn's compiled kind; `prior` (n_classes,) keeps probabilities off zero, None for numbers."""

    trees: list[Any]
    prior: np.ndarray | None
    tuned: dict[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: TreeMatrix) -> np.ndarray:
        """Numbers (m,), or probabilities (m, n_classes) in which the classes' shares count as one more tree."""
        values = np.ascontiguousarray(features.values)
        require(values.shape[1] == self.trees[0].n_features, "its trees are of another table")
        total = sum(tree.predict(values) for tree in self.trees)
        if self.prior is None:
            return np.asarray(total[:, 0] / len(self.trees))
        probabilities = total + self.prior
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def importances(self, columns: int) -> np.ndarray:
        """Shares of the decrease of impurity (p,) by each of the view's columns; zeros where no tree splits."""
        total = np.sum([tree.compute_feature_importances() for tree in self.trees], axis=0)
        return np.asarray(total / total.sum()) if total.any() else np.zeros(columns)

    def to_parts(self) -> Parts:
        """The trees' nodes one after the other, field by field."""
        from sklearn.tree._tree import NODE_DTYPE

        states = [tree.__getstate__() for tree in self.trees]
        nodes = np.concatenate([state["nodes"] for state in states])
        arrays = {name: nodes[name].copy() for name in NODE_DTYPE.names}
        arrays["values"] = np.concatenate([state["values"] for state in states])
        arrays["node_count"] = np.array([state["node_count"] for state in states])
        arrays["max_depth"] = np.array([state["max_depth"] for state in states])
        if self.prior is not None:
            arrays["prior"] = self.prior
        return Parts({"tuned": self.tuned, "features": self.trees[0].n_features}, arrays)


def restore_forest(parts: Parts) -> FittedForest:
    """From `to_parts`."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    arrays = parts.arrays
    _require_trees(parts)
    nodes = np.zeros(len(arrays["values"]), dtype=NODE_DTYPE)
    for name in NODE_DTYPE.names:
        nodes[name] = arrays[name]
    trees, end = [], np.cumsum(arrays["node_count"])
    for count, depth, stop in zip(arrays["node_count"], arrays["max_depth"], end, strict=True):
        tree = Tree(parts.values["features"], np.array([arrays["values"].shape[2]], dtype=np.intp), 1)
        span = slice(stop - count, stop)
        require_binary_tree(nodes["left_child"][span], nodes["right_child"][span])
        tree.__setstate__({"max_depth": int(depth), "node_count": int(count), "nodes": nodes[span].copy(),
                           "values": np.ascontiguousarray(arrays["values"][span])})
        trees.append(tree)
    return FittedForest(trees, arrays.get("prior"), parts.values["tuned"])


def _require_trees(parts: Parts) -> None:
    """Refuse arrays that compiled code would follow out of bounds."""
    from sklearn.tree._tree import NODE_DTYPE

    values = parts.array("values", (None, 1, None))
    require(values.dtype == np.float64 and values.shape[2] > 0, "the trees' values have another type")
    features = parts.values["features"]
    require(type(features) is int and 0 < features < MOST_FEATURES, "the trees' number of columns is wrong")
    for name in NODE_DTYPE.names:
        # A leaf has no threshold, and a split may be at infinity: a missing value alone goes the other way.
        parts.array(name, (len(values),), "iuf", is_finite=False)
        require(parts.arrays[name].dtype == NODE_DTYPE[name], f"the array {name!r} has another type")
    inner = parts.arrays["left_child"] != -1
    feature = parts.arrays["feature"][inner]
    require(bool(((feature >= 0) & (feature < features)).all()), "a tree splits a column that there is not")
    counts = parts.positions("node_count", (None,), len(values) + 1)
    depths = parts.positions("max_depth", (len(counts),), len(values) + 1)
    require(len(depths) > 0 and bool((counts > 0).all()) and int(counts.sum()) == len(values), "the trees' sizes are wrong")
    if "prior" in parts.arrays:
        parts.array("prior", (values.shape[2],))


def fit_forest(training: TrainingSet) -> FittedForest:
    """Choose leaf and feature share on a hold-out if there is a choice, then grow the forest on all rows."""
    settings = training.settings
    points = [(leaf, share) for leaf in settings["leaves"] for share in settings["feature_shares"]]
    leaf, share = points[_best_point(training, points)] if len(points) > 1 else points[0]
    return _grown(training, leaf, share, settings["trees"], {"leaf": leaf, "feature_share": share})


def _best_point(training: TrainingSet, points: list[tuple[int, float | str]]) -> int:
    trial = Trial.of(training, training.settings["trial_rows"], HOLDOUT)
    trees = training.settings["trial_trees"]
    return lowest(np.array([trial.loss(_grown(trial.training, leaf, share, trees, {}).predict(trial.features))
                            for leaf, share in points]))


def _grown(training: TrainingSet, leaf: int, share: float | str, trees: int, tuned: dict[str, Any]) -> FittedForest:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    learner = RandomForestRegressor if training.task.is_regression else RandomForestClassifier
    forest = learner(
        trees, min_samples_leaf=leaf, max_features=share, max_samples=min(len(training), training.settings["rows_per_tree"]),
        random_state=training.seed, n_jobs=training.threads)
    forest.fit(training.features.values, training.target, sample_weight=training.weight)
    grown = [tree.tree_ for tree in forest.estimators_]
    if training.task.is_regression:
        return FittedForest(grown, None, tuned)
    prior = np.bincount(training.target, weights=unit_weight(training), minlength=training.task.n_classes)
    return FittedForest(grown, prior / prior.sum(), tuned)


APPROACHES.register(Approach(
    name="forest", version=2, family="trees", cost_rank=20, view="trees",
    summary="random forest",
    settings=forest_settings, fit=fit_forest, restore=restore_forest, requires=("sklearn.ensemble",), from_effort=0.5))
