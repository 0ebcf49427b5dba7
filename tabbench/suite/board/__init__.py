"""Boards: results of many people on many tables, merged without running anything of theirs."""
