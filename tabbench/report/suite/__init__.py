"""Shows a `SuiteResult`: figures, tables, and the formats that hold them. Reads it and nothing else."""
