"""Projections of the log of runs: the live reports in memory and the tables in ClickHouse."""
