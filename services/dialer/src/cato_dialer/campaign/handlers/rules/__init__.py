"""Requests about the rules by which numbers may be called."""
