"""Exports as files: the columns of calls and of subscribers, their pages, and the formats."""
