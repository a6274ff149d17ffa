"""Numbers that are not called: the lists in memory, for both roles of a process."""
