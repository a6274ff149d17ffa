"""The tables and queries in ClickHouse, a server or the embedded engine."""
