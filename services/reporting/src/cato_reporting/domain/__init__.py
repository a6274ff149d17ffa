"""What the events of a run add up to: pure, and the same whatever order they come in."""
