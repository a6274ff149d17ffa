"""Which user of the broker may publish and subscribe what."""
