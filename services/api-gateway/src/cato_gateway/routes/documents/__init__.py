"""Answers that are written piece by piece: the status document."""
