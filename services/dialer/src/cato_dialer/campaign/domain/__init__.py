"""The rules: pure decisions and folds, no I/O, no clock."""
