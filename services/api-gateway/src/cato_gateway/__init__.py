"""REST calls in, NATS commands and queries out."""
