"""The families that come with tabbench. A file with an approach of another family may register that one itself.

Their hues can be told apart by colour-blind readers.
"""

from __future__ import annotations

from tabbench.core.family import FAMILIES, LAST, Family

FAMILIES.register(Family(
    "baseline", order=0,
    light=("#868d93", "#a0a6ab", "#6d747a", "#b4b9bd"), dark=("#8f979e", "#767e85", "#a9b0b6", "#636a70")))
FAMILIES.register(Family(
    "linear", order=10, kind="linear model",
    light=("#0b67a8", "#4b97cd", "#1f4e79", "#7fb3dc"), dark=("#5fb2ee", "#3f86c0", "#9bd0f5", "#2f6796")))
FAMILIES.register(Family(
    "trees", order=20, kind="boosted trees", is_plural=True,
    light=("#c2501d", "#dd8a3c", "#a8690a", "#8f2f10"), dark=("#f08a4e", "#f3b56b", "#d99a2b", "#d9663d")))
FAMILIES.register(Family(
    "net", order=30, kind="neural net",
    light=("#0a8265", "#45a98d", "#0a5f4a", "#7cc4ad"), dark=("#3fc79f", "#2a9478", "#86dfc4", "#1f7560")))
FAMILIES.register(Family(
    "blend", order=40,
    light=("#8a4fa3", "#b07cc6", "#653478", "#c9a3d8"), dark=("#c491da", "#9d66b5", "#dcb8ea", "#7f4c95")))
FAMILIES.register(Family(
    "own", order=LAST + 1,
    light=("#b83a72", "#d67aa2", "#8a2452", "#e3a3bf"), dark=("#ee86b2", "#c65a8a", "#f5b3cf", "#9d3f69")))
