"""The status document and the list of runs."""
