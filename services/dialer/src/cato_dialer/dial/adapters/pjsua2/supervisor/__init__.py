"""The parent side: starts workers, sends orders, reads events."""
