"""One function per command and query, and the table that maps each message to its function."""
