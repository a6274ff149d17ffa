"""The demonstration: a run with real calls, verified at both ends."""
