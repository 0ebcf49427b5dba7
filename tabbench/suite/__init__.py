"""The same comparison over many tables: suites, their runs and their results."""
