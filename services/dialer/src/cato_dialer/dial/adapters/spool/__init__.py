"""Files in the data directory by which the next start of a dialer goes on where this one was killed."""
