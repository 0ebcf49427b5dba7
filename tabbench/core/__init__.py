"""The plain types of tabbench: what a table, a cell, a result and a comparison are.

Imports nothing else of tabbench; everything else may import it.
"""
