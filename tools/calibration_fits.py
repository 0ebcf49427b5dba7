"""Small learners of the calibration and what they predict on every split of a table, as one array.

Knows no generator's truth and no verdict. Every learner is told its columns, training rows and test rows, nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from calibration_tables import Generator, Sample

from tabbench.core.split import SplitPlan

RIDGE = 1e-9
"""Keeps least squares solvable; far below what data say."""
LOGISTIC_RIDGE = 1.0
NEWTON_STEPS = 8
TREE_DEPTH, LEAF_ROWS = 4, 5
BOOSTING_ROUNDS = 40
HIDDEN = 30
NET_WIDTH, NET_STEPS, NET_RATE, NET_DECAY = 16, 150, 0.03, 1e-3
LEAST_SHARE = 0.1
"""Of an even share: no class is thought to be rarer than that."""
SURE = 1e-3
"""Probabilities end here: a learner that is surer after some hundred rows is wrong, and log loss has a tail without it."""

Learner = Callable[[np.ndarray, np.ndarray, np.ndarray, bool, int], np.ndarray]
"""(training features, training target, test features, is_regression, seed) -> numbers or probabilities of class 1."""


def linear(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """Least squares, or logistic regression with a light ridge by Newton's method."""
    design, unseen = _with_constant(train), _with_constant(test)
    if is_regression:
        gram = design.T @ design + RIDGE * np.eye(design.shape[1])
        return np.asarray(unseen @ np.linalg.solve(gram, design.T @ target))
    penalty = LOGISTIC_RIDGE * np.eye(design.shape[1])
    penalty[-1, -1] = RIDGE
    slopes = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        share = _probability(design @ slopes)
        curvature = (design * (share * (1 - share))[:, None]).T @ design + penalty
        slopes -= np.linalg.solve(curvature, design.T @ (share - target) + penalty @ slopes)
    return np.asarray(np.clip(_probability(unseen @ slopes), SURE, 1 - SURE))


def interpolating(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """Least squares of the smallest norm, which goes through all rows while there are more columns than rows."""
    goal = target if is_regression else 2.0 * target - 1
    prediction = _with_constant(test) @ np.linalg.lstsq(_with_constant(train), goal, rcond=None)[0]
    return np.asarray(prediction if is_regression else np.clip((1 + prediction) / 2, 0.02, 0.98))


def tree(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """One tree of four levels; the shares of its leaves are smoothed by one row of either class."""
    from sklearn.tree import DecisionTreeRegressor

    grown = DecisionTreeRegressor(max_depth=TREE_DEPTH, min_samples_leaf=LEAF_ROWS, random_state=seed)
    grown.fit(train.astype(np.float32), target.astype(np.float64), check_input=False)
    leaf = grown.tree_.apply(test.astype(np.float32))
    value = grown.tree_.value[leaf, 0, 0]
    if is_regression:
        return np.asarray(value)
    rows = grown.tree_.n_node_samples[leaf]
    return np.asarray((value * rows + 1) / (rows + 2))


def lightgbm(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """Forty rounds of small boosted trees."""
    import lightgbm as library

    settings = {"objective": "regression" if is_regression else "binary", "num_leaves": 7, "min_data_in_leaf": 5, "verbosity": -1,
                "learning_rate": 0.1, "num_threads": 1, "seed": seed, "deterministic": True, "force_row_wise": True}
    rows = library.Dataset(train, target, params={"verbosity": -1, "min_data_in_bin": 1})
    prediction = np.asarray(library.train(settings, rows, BOOSTING_ROUNDS).predict(test))
    return prediction if is_regression else np.clip(prediction, SURE, 1 - SURE)


def random_features(number: int) -> Learner:
    """A net whose hidden layer stays as it was drawn: fits of another number differ as those with another seed do."""
    def fitted(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
        random = np.random.default_rng([seed, len(target), number])
        weights, bias = random.standard_normal((train.shape[1], HIDDEN)), random.standard_normal(HIDDEN)
        known, unseen = (_with_constant(np.maximum(each @ weights + bias, 0.0)) for each in (train, test))
        gram = known.T @ known + np.eye(HIDDEN + 1)
        return np.asarray(unseen @ np.linalg.solve(gram, known.T @ target))
    return fitted


def shares(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """Least squares for every class, which share the probability: (m, classes)."""
    design, classes = _with_constant(train), np.eye(int(target.max()) + 1)
    gram = design.T @ design + np.eye(design.shape[1])
    score = np.maximum(_with_constant(test) @ np.linalg.solve(gram, design.T @ classes[target]), LEAST_SHARE / len(classes))
    return np.asarray(score / score.sum(axis=1, keepdims=True))


LEARNERS: dict[str, Learner] = {
    "shares": shares,
    "features1": random_features(1), "features2": random_features(2),
    "linear": linear, "interpolating": interpolating, "tree": tree, "lightgbm": lightgbm}


def predictions(sample: Sample, generator: Generator, own: str, plan: SplitPlan, sizes: Sequence[int], is_regression: bool,
                seed: int) -> np.ndarray:
    """What every contestant predicts at every size, float32 (contestants, sizes, test rows of all splits), by class if many."""
    of_classes = (int(sample.target.max()) + 1,) if "shares" in generator.learners else ()
    rows = sum(len(split.test) for split in plan.splits)
    made = np.empty((len(generator.views), len(sizes), rows, *of_classes), dtype=np.float32)
    for place, (columns, name) in enumerate(zip(generator.views, learners_of(generator, own), strict=True)):
        features = sample.features[:, columns]
        for at_size, size in enumerate(sizes):
            if name == "net":
                made[place, at_size] = _nets(features, sample.target, plan, size, is_regression, seed)
                continue
            of_splits = [LEARNERS[name](features[split.train[:size]], sample.target[split.train[:size]], features[split.test],
                                        is_regression, seed) for split in plan.splits]
            made[place, at_size] = np.concatenate(of_splits)
    return made


def learners_of(generator: Generator, own: str) -> list[str]:
    """The contestants' learners, with the one that is tried in its places."""
    return [own if name == "own" else name for name in generator.learners]


def _nets(features: np.ndarray, target: np.ndarray, plan: SplitPlan, size: int, is_regression: bool, seed: int) -> np.ndarray:
    trains = np.stack([split.train[:size] for split in plan.splits])
    most = max(len(split.test) for split in plan.splits)
    tests = np.stack([np.resize(split.test, most) for split in plan.splits])
    answers = stacked_nets(features[trains], target[trains], features[tests], is_regression, seed)
    return np.concatenate([answer[:len(split.test)] for answer, split in zip(answers, plan.splits, strict=True)])


def stacked_nets(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool, seed: int) -> np.ndarray:
    """Nets of one hidden layer, all trained at once on (nets, rows, columns); every net starts from its own draw."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    source = torch.Generator().manual_seed(seed)
    inputs, unseen = (torch.tensor(each, dtype=torch.float32) for each in (train, test))
    goal = torch.tensor(target, dtype=torch.float32)[..., None]
    nets, columns = inputs.shape[0], inputs.shape[2]
    middle, spread = (goal.mean(1, keepdim=True), goal.std(1, keepdim=True)) if is_regression else (0.0, 1.0)
    goal = (goal - middle) / spread
    weights = [torch.randn(nets, *shape, generator=source) * scale for shape, scale in (
        ((columns, NET_WIDTH), columns**-0.5), ((1, NET_WIDTH), 0.1), ((NET_WIDTH, 1), NET_WIDTH**-0.5), ((1, 1), 0.0))]
    for each in weights:
        each.requires_grad_(True)
    optimiser = torch.optim.AdamW(weights, lr=NET_RATE, weight_decay=NET_DECAY)
    for step in range(NET_STEPS):
        optimiser.param_groups[0]["lr"] = NET_RATE * (1 - step / NET_STEPS)
        output = _net(weights, inputs)
        loss = ((output - goal)**2).mean((1, 2)) if is_regression else torch.nn.functional.binary_cross_entropy_with_logits(
            output, goal, reduction="none").mean((1, 2))
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    with torch.no_grad():
        output = _net(weights, unseen)
        answer = output * spread + middle if is_regression else torch.sigmoid(output).clamp(SURE, 1 - SURE)
    return np.asarray(answer[..., 0].numpy())


def _net(weights: list, inputs: object) -> object:
    import torch

    first, first_bias, last, last_bias = weights
    return torch.nn.functional.silu(torch.bmm(inputs, first) + first_bias) @ last + last_bias


def _with_constant(features: np.ndarray) -> np.ndarray:
    return np.column_stack([features, np.ones(len(features))])


def _probability(score: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))))
