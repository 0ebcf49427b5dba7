"""Generators of tables with a known truth, a theme a file. They know no learner and no file."""
