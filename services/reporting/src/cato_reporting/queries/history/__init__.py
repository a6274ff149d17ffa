"""Calls, one by one and in pages."""
