"""The rules by which numbers may be called."""
