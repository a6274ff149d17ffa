"""Requests about exclusion lists."""
