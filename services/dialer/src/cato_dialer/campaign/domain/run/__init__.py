"""A run of a task: its life, its progress, and its next step."""
