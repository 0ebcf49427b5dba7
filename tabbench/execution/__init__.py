"""Runs cells: what one is, in which order, in which process, and what a limit leaves out."""
