"""Claims on numbers: one call at a time to each, and no more calls than limits of contacts allow."""
