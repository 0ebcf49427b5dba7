"""The approaches, one file a learner, each registered where it is defined. Importing them loads no heavy library."""
