"""Answers that are written piece by piece: exports of calls, the status document."""
