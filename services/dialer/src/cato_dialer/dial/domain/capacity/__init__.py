"""How many calls may be up and when the next may start."""
