"""What the handlers need from outside."""
