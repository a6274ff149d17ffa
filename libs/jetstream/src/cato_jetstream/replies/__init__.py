"""Requests whose replies all arrive on one subscription."""
