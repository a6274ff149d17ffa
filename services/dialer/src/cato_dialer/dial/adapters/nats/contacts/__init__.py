"""What is kept about numbers over all runs, and the limits of contacts."""
