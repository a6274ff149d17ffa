"""The reports of active runs, in memory."""
