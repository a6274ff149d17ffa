"""A typed client of the REST API: operations are values, and a client carries them out.

    from cato_client import Client, operations

    with Client("http://127.0.0.1:8080", "default") as cato:
        started = cato.do(operations.start_task(task_id))

What is large comes in pieces (`client.pieces(operation)`), and `client.follow(run_id)` yields the reports of
an execution as it goes on. `AsyncClient` does the same with `await`. What fails for a moment is tried again
with its Idempotency-Key.
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
from cato_client.operations import Operation
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
