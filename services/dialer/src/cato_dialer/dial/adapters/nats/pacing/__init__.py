"""Pacing rules over all replicas: what they are, and the next start that they allow."""
