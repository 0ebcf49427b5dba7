"""Metrics, one file a kind of task: scores, and row losses whose mean is the score to first order."""
