"""Gradient-boosted trees: how XGBoost and LightGBM are fitted on inner folds, and how they are ensembled.

Sees training rows in the trees view only; knows nothing of splits, stores or other approaches.
"""
