"""Grid-searched logistic regression and elastic net."""
