"""One function per command and query, and the table that leads to them."""
