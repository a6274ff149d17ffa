"""The messages and resources that the services share; the only thing they share.

Inside the system every JSON name is snake_case. The camelCase names of the REST API are the
aliases of the resources, used by the gateway alone.
"""
