"""Many tables at once: which approach is ahead on tables in general. Pure functions of frames, one number a table.

Knows no model and no file; what is here speaks about a collection of tables, never about one of them.
"""
