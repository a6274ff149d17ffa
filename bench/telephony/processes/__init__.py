"""The processes of the measurement: the caller, the receiver, and the Python sender that sets the floor."""
