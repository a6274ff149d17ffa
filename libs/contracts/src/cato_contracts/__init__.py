"""The messages and resources that services share. They share nothing else.

JSON names between services are in snake_case. The camelCase names of the REST API are aliases, which only the
gateway uses.
"""
