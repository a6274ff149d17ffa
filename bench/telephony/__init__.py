"""The parts of the call benchmark; `bench/README.md` describes the method."""
