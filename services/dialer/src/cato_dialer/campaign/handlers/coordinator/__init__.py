"""The coordinator of the runs: one driver for each run whose lease is held."""
