"""Campaigns and trunk channels: who is called when, and the calls themselves."""
