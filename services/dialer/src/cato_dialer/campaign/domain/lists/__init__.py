"""Uploaded lists of subscribers: what is read, what is refused, and how lists are stored."""
