"""Running cells: in which order, and what a limit leaves out."""
