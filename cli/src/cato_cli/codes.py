"""The exit codes of the command."""

DONE = 0
REFUSED = 1
USAGE = 2
NOT_ALL_REACHED = 3
ENDED_EARLY = 4
UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h."""
NO_PERMISSION = 77
"""EX_NOPERM of sysexits.h."""
INTERRUPTED = 130
