"""Statements of analysts."""
