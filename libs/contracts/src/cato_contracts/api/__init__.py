"""The resources of the REST API, and the queries that return them."""
