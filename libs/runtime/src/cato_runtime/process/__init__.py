"""Processes: children, the embedded broker, tasks, the garbage collector."""
