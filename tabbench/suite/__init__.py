"""Many tables: what is run, verified and published together."""
