"""The run's folder and what is in it: an owner's lock, the frozen setup, the database of results, spooled results."""
