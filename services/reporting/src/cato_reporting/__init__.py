"""Reporting: folds the events of runs into live reports and a call history."""
