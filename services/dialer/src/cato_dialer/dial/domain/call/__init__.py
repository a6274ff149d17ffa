"""One call: its table of states, its outcome."""
