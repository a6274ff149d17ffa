"""Translate and dispatch: subscribers, jobs, the command line."""
