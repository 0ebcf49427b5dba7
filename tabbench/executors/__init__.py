"""Where batches run. Local supervised children now; the supervisor alone writes the store."""
