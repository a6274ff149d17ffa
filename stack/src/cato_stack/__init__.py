"""One machine, one command: the broker, the services and the demonstration."""
