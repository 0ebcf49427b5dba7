"""Grid-searched logistic regression and elastic net on plain arrays.

Takes a dense or CSR matrix, codes or numbers, weights and inner folds; knows no table, no view and no training set.
"""
