"""Pieces of the OpenAPI document: bodies that the routes read by themselves, errors, examples."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from cato_gateway.http.error_responses import Problem
from cato_gateway.openapi import examples, schema_rules
from cato_gateway.openapi.field_texts import FIELDS

Responses = dict[int | str, dict[str, Any]]

REFERENCE = "#/components/schemas/{model}"
BODY_MODELS: dict[str, type[BaseModel]] = {}
"""Models that only bodies use, which FastAPI does not see."""

_PHONE = {"type": "string", "pattern": schema_rules.PHONE}
_TEXT = {"type": "string"}
SUBSCRIBERS: dict[str, Any] = {
    "schema": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["fullName", "phones"],
            "additionalProperties": False,
            "properties": {
                "fullName": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "pattern": schema_rules.NOT_BLANK,
                    "description": FIELDS["fullName"],
                },
                "phones": {
                    "anyOf": [_PHONE, {"type": "array", "items": _PHONE, "minItems": 1}],
                    "description": FIELDS["phones"],
                },
                "emails": {
                    "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
                    "description": FIELDS["emails"],
                },
            },
        },
    },
    "example": examples.SUBSCRIBERS,
}
CSV_TEXT: dict[str, Any] = {"schema": _TEXT, "example": examples.CSV}
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary", "minLength": 1}}

_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": _TEXT,
        "event": {"enum": ["report", "end"]},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": REFERENCE.format(model="Report")},
        },
    },
}

_WORDS: dict[int, str] = {
    400: "Something in the request breaks a rule; `message` says what.",
    401: "No token, or an unknown one.",
    403: "The token does not allow it.",
    404: "No such resource, or somebody else's.",
    405: "The method does not apply; `Allow` names those that do.",
    409: "The state of the resource does not allow it.",
    412: "It is not the version that `If-Match` names; read it again.",
    413: "The body is over the limit.",
    415: "The body's type is not taken here.",
    416: "No byte of the range is there.",
    500: "An error of ours.",
    503: "A service behind the gateway does not answer in time; try again.",
}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


REQUEST_ID = {"X-Request-ID": _header("What the log of the system knows the request by.")}
ETAG = {"ETag": _header("The version of the resource, for `If-Match` and `If-None-Match`.")}
ERROR_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _header("`Bearer`.")},
    405: {"Allow": _header("The methods that apply.")},
    503: {"Retry-After": _header("Seconds to wait before the next try.")},
}


def _request_header(name: str, description: str, **rules: Any) -> dict[str, Any]:
    schema = {"type": "string", **rules}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


IDEMPOTENCY_KEY = _request_header(
    "Idempotency-Key",
    "A word of the client's own for this request; retries send the same.",
    minLength=1,
    maxLength=255,
    pattern="^[!-~]+$",
)
# No patterns: what cannot be read is ignored, and in If-Match it matches nothing (RFC 9110, 13 and 14).
IF_MATCH = _request_header("If-Match", "ETags of the versions that the change is meant for; others get 412.")
IF_NONE_MATCH = _request_header(
    "If-None-Match", "ETags that the client has; if one is current, the answer is 304."
)
RANGE = (
    _request_header("Range", "The bytes wanted, such as `bytes=0-7999`."),
    _request_header("If-Range", "The range is meant for this ETag; otherwise all is sent."),
)

READ_OF_CONTENT = "get_audio_content"
READS_OF_ONE = frozenset(
    {
        "get_audio_file",
        READ_OF_CONTENT,
        "get_subscriber_group",
        "get_notification_settings",
        "get_task",
    }
)
CHANGES_OF_VERSIONS = frozenset(
    f"{verb}_{what}"
    for verb in ("replace", "remove")
    for what in ("subscriber_group", "notification_settings", "task")
) | {"remove_audio_file"}
WITH_ETAG = (
    READS_OF_ONE
    | CHANGES_OF_VERSIONS
    | {"add_audio_file", "add_subscriber_group", "add_notification_settings", "add_task"}
)

_USES: dict[str, tuple[str, ...]] = {
    "audio_file": ("get_audio_file", READ_OF_CONTENT, "remove_audio_file"),
    "subscriber_group": (
        "get_subscriber_group",
        "list_subscribers",
        "replace_subscriber_group",
        "remove_subscriber_group",
    ),
    "notification_settings": (
        "get_notification_settings",
        "replace_notification_settings",
        "remove_notification_settings",
    ),
    "task": ("get_task", "replace_task", "start_task", "remove_task"),
}
_USES_OF_EXECUTIONS = ("get_task_exec", "pause_task_exec", "resume_task_exec", "stop_task_exec")


def _links(uses: tuple[str, ...], field: str) -> dict[str, Any]:
    return {use: {"operationId": use, "parameters": {"id": f"$response.body#/{field}"}} for use in uses}


LINKS = {f"add_{what}": _links(uses, "id") for what, uses in _USES.items()} | {
    "start_task": _links(_USES_OF_EXECUTIONS, "taskExecId")
}
"""What can be done with what an operation has made."""

COMMON = (400, 401, 403, 405, 500, 503)
"""What any operation may answer: an unknown parameter is refused everywhere."""


def refusals(*statuses: int) -> Responses:
    """Describe errors in the common form."""
    return {
        status: {"model": Problem, "description": f"{HTTPStatus(status).phrase}. {_WORDS[status]}"}
        for status in statuses
    }


def json_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body that a route reads as `model`."""
    BODY_MODELS[model.__name__] = model
    schema = {"$ref": REFERENCE.format(model=model.__name__)}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def upload(content: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Describe a body that is streamed, by its media types."""
    return {"requestBody": {"required": True, "content": content}}


def audio() -> Responses:
    content = {"audio/wav": BYTES, "audio/x-alaw-basic": BYTES}
    return {
        200: {"description": "The whole content.", "content": content},
        206: {"description": "The part asked for.", "content": content},
        304: {"description": "The client has it already."},
    }


def csv_too() -> Responses:
    return {200: {"description": "A page, or all of it as CSV.", "content": {"text/csv": CSV_TEXT}}}


def exports() -> Responses:
    """Describe the files of an export."""
    content = {
        "text/csv": {"schema": _TEXT, "example": examples.CALLS_CSV},
        "application/x-ndjson": {"schema": _TEXT, "example": examples.CALLS_JSONL},
        "application/vnd.apache.parquet": BYTES,
    }
    name = _header("`attachment`, and the name of the file.")
    return {
        200: {"description": "The file.", "content": content, "headers": {"Content-Disposition": name}},
    }


def events() -> Responses:
    """Describe the stream of an execution."""
    # The schema of an event, as OpenAPI 3.2 has it and tools take it in 3.1.
    content = {"text/event-stream": {"itemSchema": _EVENT, "example": examples.EVENTS}}
    return {
        200: {"description": "Events, until the execution is over.", "content": content},
        204: {"description": "`Last-Event-ID` is that of the `end`: there is nothing more to come."},
    }
