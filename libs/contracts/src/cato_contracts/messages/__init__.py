"""The commands, queries, jobs and events between services."""
