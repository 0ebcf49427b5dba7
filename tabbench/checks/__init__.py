"""Checks of the data before anything is fitted, one file a check; `running.py` runs them all."""
