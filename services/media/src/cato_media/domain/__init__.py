"""The rules for audio files: names, accepted formats, the stored form; no input or output."""
