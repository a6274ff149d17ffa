"""The measurement of reporting: a large run through the real path of events, and what is asked about it."""
