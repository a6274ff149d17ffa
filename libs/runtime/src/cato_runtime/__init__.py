"""What every service process needs to run: configuration, bus, objects, logs, life cycle."""
