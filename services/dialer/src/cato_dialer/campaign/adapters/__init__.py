"""One file per technology and port."""
