"""Messages of the log, the state of a run and its report, without input or output."""
