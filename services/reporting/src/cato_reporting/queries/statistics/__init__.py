"""Figures of calls by hour, day, task, station, outcome or SIP code."""
