"""SIP without the engine: OPTIONS requests to stations."""
