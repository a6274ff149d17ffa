"""The streams: packets from prompts, keys from packets."""
