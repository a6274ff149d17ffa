"""The whole system under a steady load, and what grows."""
