"""The errors of the client.

CatoClientError
├── UnreachableError              no answer after all retries
└── ApiError                      the API rejected the request: `status`, `message`, `resource_id`
    ├── InvalidError              400, 413, 415
    ├── UnauthorizedError         401
    ├── ForbiddenError            403
    ├── NotFoundError             404
    ├── ConflictError             409
    └── PreconditionFailedError   412: another client has changed the resource
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx


class CatoClientError(Exception):
    """The root of the client's errors."""


class UnreachableError(CatoClientError):
    """There was no answer in time. It is unknown whether the operation was carried out."""


class ApiError(CatoClientError):
    """The API rejected the operation; `message` gives the reason in words."""

    def __init__(self, status: int, message: str, resource_id: str | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.resource_id = resource_id


class InvalidError(ApiError):
    """The request is invalid.

    For a list of subscribers, `faults` are its faults (`index` or `row`, `field`, `column`, `rule`,
    `message`), up to a hundred of `fault_count`.
    """

    faults: Sequence[Mapping[str, Any]] = ()
    fault_count: int = 0


class UnauthorizedError(ApiError):
    """The token is missing or unknown."""


class ForbiddenError(ApiError):
    """The token does not permit the operation."""


class NotFoundError(ApiError):
    """The resource does not exist or belongs to another user."""


class ConflictError(ApiError):
    """The state of the resource does not allow the operation."""


class PreconditionFailedError(ApiError):
    """The resource has another version than the change was made for."""


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
    """Return the error for an unsuccessful answer, whose body has been read."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    message = str(fields.get("message") or answer.reason_phrase)
    kind = _CLASSES.get(answer.status_code, ApiError)
    error = kind(answer.status_code, message, fields.get("resourceId"))
    if isinstance(error, InvalidError):
        error.faults = fields.get("faults") or ()
        error.fault_count = fields.get("faultCount") or 0
    return error
