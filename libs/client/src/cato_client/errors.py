"""What a client can meet.

CatoClientError
├── UnreachableError              no answer, however often it was tried
└── ApiError                      the API refused: `status`, `message`, `resource_id`
    ├── InvalidError              400, 413, 415
    ├── UnauthorizedError         401
    ├── ForbiddenError            403
    ├── NotFoundError             404
    ├── ConflictError             409
    └── PreconditionFailedError   412: the resource was changed in the meantime
"""

from http import HTTPStatus
from typing import Any

import httpx


class CatoClientError(Exception):
    """The root of the client's errors."""


class UnreachableError(CatoClientError):
    """There was no answer in time; whether the operation was carried out is not known."""


class ApiError(CatoClientError):
    """The API refused the operation; `message` says why, for a person."""

    def __init__(self, status: int, message: str, resource_id: str | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.resource_id = resource_id


class InvalidError(ApiError):
    """Something in the request breaks a rule."""


class UnauthorizedError(ApiError):
    """No token, or an unknown one."""


class ForbiddenError(ApiError):
    """The token does not allow it."""


class NotFoundError(ApiError):
    """There is no such resource for this user."""


class ConflictError(ApiError):
    """The state of the resource does not allow it."""


class PreconditionFailedError(ApiError):
    """The resource is no longer at the version that the change is meant for."""


_CLASSES: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: InvalidError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InvalidError,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: InvalidError,
    HTTPStatus.UNAUTHORIZED: UnauthorizedError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.PRECONDITION_FAILED: PreconditionFailedError,
}


def error_of(answer: httpx.Response) -> ApiError:
    """Return the error for an answer that is none of success; its body is in memory."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    message = str(fields.get("message") or answer.reason_phrase)
    kind = _CLASSES.get(answer.status_code, ApiError)
    return kind(answer.status_code, message, fields.get("resourceId"))
