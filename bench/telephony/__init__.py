"""What the measurement of calls is made of; `bench/README.md` says how it measures."""
