"""The runs that have left the log."""
