"""From files to a table, its splits and sizes, and the views that approaches learn from."""
