"""Transports, timers and transactions (RFC 3261, 17 and 18)."""
