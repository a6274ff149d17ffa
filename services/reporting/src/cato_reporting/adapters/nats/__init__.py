"""The log of runs and the dead letters in JetStream."""
