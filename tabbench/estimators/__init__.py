"""Public estimators in scikit-learn's shape: the approaches of a comparison, to be used on their own."""
