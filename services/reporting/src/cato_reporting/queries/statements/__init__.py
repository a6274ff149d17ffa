"""SQL of analysts."""
