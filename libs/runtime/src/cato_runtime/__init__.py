"""The parts that every service process uses: configuration, broker, objects, logs, life cycle."""
