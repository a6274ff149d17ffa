"""Prompts: sniff, decode, transcode to G.711 A-law, store."""
