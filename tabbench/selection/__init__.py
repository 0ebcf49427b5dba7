"""Feature selectors, one file each, registered where they are defined. Importing them loads no heavy library."""
