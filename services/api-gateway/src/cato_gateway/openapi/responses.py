"""Responses that routes share: errors in the common form, headers, and links to follow-up operations."""

from http import HTTPStatus
from typing import Any

from cato_contracts.api.examples import TASK_ID
from cato_gateway.openapi.content import Content

Responses = dict[int | str, dict[str, Any]]

PROBLEM = {"$ref": "#/components/schemas/Problem"}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


REQUEST_ID = {"X-Request-ID": _header("What the log of the system knows the request by.")}
_ETAG = {"ETag": _header("The version of the resource, for `If-Match` and `If-None-Match`.")}
_ERROR_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _header("`Bearer`.")},
    405: {"Allow": _header("The methods that apply.")},
    503: {"Retry-After": _header("Seconds to wait before the next try.")},
}
_ERRORS: dict[int, tuple[str, str]] = {
    400: (
        "Something in the request breaks a rule; `message` says what.",
        "attemptCount should be greater than or equal to 1, not 0",
    ),
    401: ("No token, or an unknown one.", "a token is needed: Authorization: Bearer plain:<appToken>"),
    403: ("The token does not allow it.", "the token of user lacks the permission run"),
    404: ("No such resource, or one of another user.", f"there is no task {TASK_ID}"),
    405: (
        "The method does not apply; `Allow` names those that do.",
        "PATCH does not apply here; allowed: DELETE, GET, HEAD, PUT",
    ),
    409: ("The state of the resource does not allow it.", "the task is being executed"),
    412: (
        "It is not the version that `If-Match` names; read it again.",
        "the task was changed in the meantime: read it again",
    ),
    413: (
        "The body is over the limit.",
        "the body has more than the limit of 52428800 bytes",
    ),
    415: ("The body's type is not accepted here.", "Content-Type should be application/json, not text/plain"),
    416: ("No byte of the range is there.", "the range has no byte of the 51178 bytes of the file"),
    500: (
        "An internal error.",
        "an internal error occurred; the log has it under the X-Request-ID",
    ),
    503: (
        "A service behind the gateway does not answer in time; try again.",
        "the dialer service did not answer within 10 s",
    ),
}
"""The meaning of each status, and an example message."""


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def errors(*statuses: int) -> Responses:
    """Declare errors in the common form."""
    return {status: {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses}


COMMON = errors(400, 401, 403, 405, 500, 503)
"""The errors that every operation may answer with: an unknown parameter is rejected everywhere."""


def created(*uses: str, field: str = "id", etag: bool = True) -> Responses:
    """Declare the answer that names a new resource: its ETag, and the operations that take its id."""
    links = {use: {"operationId": use, "parameters": {"id": f"$response.body#/{field}"}} for use in uses}
    return {200: ({"headers": _ETAG} if etag else {}) | {"links": links}}


def answer(description: str, content: Content) -> Responses:
    """Declare additional content of the answer."""
    return {200: {"description": description, "content": content}}


def versioned() -> Responses:
    """Declare an answer with an ETag."""
    return {200: {"headers": _ETAG}}


def read_once() -> Responses:
    """Declare the answers of a read that supports `If-None-Match`."""
    return versioned() | {304: {"description": "The client has it already.", "headers": _ETAG}}


def ranges_of(content: Content) -> Responses:
    """Declare the answers of a read that supports `Range` and `If-None-Match`."""
    return {
        200: {"description": "The whole content.", "content": content, "headers": _ETAG},
        206: {"description": "The part asked for.", "content": content, "headers": _ETAG},
        304: {"description": "The client has it already.", "headers": _ETAG},
    }


def attachment(content: Content) -> Responses:
    """Declare an answer that a browser saves as a file."""
    headers = {"Content-Disposition": _header("`attachment`, and the name of the file.")}
    return {200: {"description": "The file.", "content": content, "headers": headers}}


def components() -> dict[str, Any]:
    """Return the error responses that `errors` refers to."""
    return {_name(status): _error(status) for status in sorted(_ERRORS)}


def _error(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    meaning, message = _ERRORS[status]
    example = {
        "timestamp": 1718617226687,
        "status": status,
        "error": phrase,
        "path": f"/api/v1/tasks/{TASK_ID}/start",
        "message": message,
    }
    return {
        "description": f"{phrase}. {meaning}",
        "headers": _ERROR_HEADERS.get(status, {}) | REQUEST_ID,
        "content": {"application/json": {"schema": PROBLEM, "example": example}},
    }
