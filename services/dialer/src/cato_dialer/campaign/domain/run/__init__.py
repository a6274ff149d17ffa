"""A run of a task: its life, its progress, and what is to be done next."""
