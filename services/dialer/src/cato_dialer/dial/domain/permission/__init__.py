"""The rules by which a number may be called now, later, or not at all."""
