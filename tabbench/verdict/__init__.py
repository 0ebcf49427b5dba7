"""Pure functions of arrays and frames: intervals, winners, crossovers, outcomes and their numbers, no sentence.

Knows no model and no file: what was predicted is handed in as a function, what comes out are frames and plain data.
"""
