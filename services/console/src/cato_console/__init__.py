"""Web pages for dispatchers: a client of the REST API like any other, without rules and without a broker."""
