"""A typed client of the REST API. An operation is a value; a client sends it.

    from cato_client import Client, operations

    with Client("http://127.0.0.1:8080", "default") as cato:
        started = cato.do(operations.start_task(task_id))

`client.pieces(operation)` streams a large answer, and `client.follow(run_id)` yields the reports of an
execution while it runs. `AsyncClient` does the same with `await`. A request that fails for a temporary reason
is retried with the same Idempotency-Key.
"""

from cato_client import operations
from cato_client.asynchronous import AsyncClient
from cato_client.errors import (
    ApiError,
    CatoClientError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    UnauthorizedError,
    UnreachableError,
)
from cato_client.operation import Operation
from cato_client.retries import Patience
from cato_client.synchronous import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "CatoClientError",
    "Client",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "NotFoundError",
    "Operation",
    "Patience",
    "PreconditionFailedError",
    "UnauthorizedError",
    "UnreachableError",
    "operations",
]
