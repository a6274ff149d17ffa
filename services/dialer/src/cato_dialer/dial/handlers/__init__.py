"""Working jobs: one file per task of the dial role."""
