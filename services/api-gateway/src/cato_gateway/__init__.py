"""The REST API: translates HTTP requests into NATS commands and queries."""
