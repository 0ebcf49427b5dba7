"""tabbench: which approach wins on your table, at your size, and how sure we are."""

__version__ = "0.1.0"
