"""The ports on top of ClickHouse and NATS."""
