"""The parts of `bench_console.py`."""
