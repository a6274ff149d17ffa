"""One subscriber in one wave: which number next, and whether a call may start."""
