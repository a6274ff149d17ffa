"""The errors that the gateway raises itself, and the HTTP status of every RefusedError.

CatoError (cato_runtime)
├── RefusedError
│   ├── UnauthorizedError     no token, or an unknown one
│   └── KeyReusedError        an Idempotency-Key that was used with another body
└── BrokenOffError            an answer that cannot be completed
"""

from http import HTTPStatus

from cato_contracts.errors import CatoError, ConflictError, ErrorCode, RefusedError

STATUSES: dict[ErrorCode, HTTPStatus] = {
    ErrorCode.INVALID: HTTPStatus.BAD_REQUEST,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.PRECONDITION_FAILED: HTTPStatus.PRECONDITION_FAILED,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.NOT_IMPLEMENTED: HTTPStatus.SERVICE_UNAVAILABLE,  # a service that is older than this gateway
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class UnauthorizedError(RefusedError):
    """The request has no known user. It has no error code, because services never receive it."""


class KeyReusedError(ConflictError):
    """The Idempotency-Key was used for another request."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency-Key {key!r} was used with another body; a new request needs a new key")


class BrokenOffError(CatoError):
    """An answer has begun and cannot be finished; closing the connection shows that it is incomplete."""


def status_of(error: RefusedError) -> HTTPStatus:
    """Return the status that a client sees."""
    if isinstance(error, UnauthorizedError):
        return HTTPStatus.UNAUTHORIZED
    return STATUSES[error.code]
