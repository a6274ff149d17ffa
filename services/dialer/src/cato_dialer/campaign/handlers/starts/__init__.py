"""The start of a task, and what can be known before it."""
