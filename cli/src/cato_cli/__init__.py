"""The `cato` command: notifications from a terminal, over the REST API."""
