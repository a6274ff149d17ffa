"""The programs: the service, and the rebuilding of the read model."""
