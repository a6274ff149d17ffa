"""The demonstration: a whole run with real calls, checked at both ends."""
