"""Many tables as one benchmark: a suite's folder in, one result and its reports out; verified, and published on a board."""
