"""One call: its line events, its state machine, its outcome."""
