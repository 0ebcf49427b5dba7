"""Which rows are trained on and tested: outer splits, nested sizes, and the inner splits that approaches make of their rows."""
