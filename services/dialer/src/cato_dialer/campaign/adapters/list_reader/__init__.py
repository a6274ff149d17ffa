"""Reads uploaded lists: small texts in a thread, all others in a process of their own."""
