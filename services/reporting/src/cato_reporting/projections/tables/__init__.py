"""The tables of the read model: filled from the log, and with the lists of subscribers."""
