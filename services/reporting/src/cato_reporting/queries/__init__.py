"""The requests that the service answers."""
