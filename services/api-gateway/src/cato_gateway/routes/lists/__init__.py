"""Lists of subscribers as they are sent and shown."""
