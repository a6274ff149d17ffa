"""The benchmark of reporting: a large run through the real path of events, and the queries on it."""
