"""Many finished runs, and what they cost."""
