"""What the service does: follow the log, keep the read model, answer queries."""
