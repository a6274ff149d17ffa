"""The ports of the dial role."""
