"""Pieces of the OpenAPI document: bodies that the routes read by themselves, errors, examples."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from cato_gateway.entrypoints.problems import Problem

Responses = dict[int | str, dict[str, Any]]

REFERENCE = "#/components/schemas/{model}"
BODY_MODELS: dict[str, type[BaseModel]] = {}
"""Models that only bodies use, which FastAPI does not see."""

SETTINGS: dict[str, Any] = {
    "name": "profile_1",
    "attemptCount": 2,
    "attemptDelayS": 60,
    "successCondition": "PICKUP_PHONE",
    "successPlaybackDurationS": 5,
    "maxCallDurationS": 90,
    "maxAnswerDelayS": 30,
    "timeRestrictions": {"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18},
    "userId": "user",
}
TASK: dict[str, Any] = {
    "name": "task_2024-03-24",
    "settings": "4ac70308-1afe-4e58-92ff-794300ebd785",
    "files": ["a88a6210-5434-4ee6-886a-7e43f0beeb4f"],
    "groups": ["3a27def6-af0f-44fa-965a-ba0bfb67316e"],
    "userId": "user",
}

_ONE_OR_MANY = {
    "anyOf": [
        {"type": "string", "maxLength": 200},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ]
}
SUBSCRIBERS: dict[str, Any] = {
    "schema": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["fullName", "phones"],
            "additionalProperties": False,
            "properties": {
                "fullName": {"type": "string", "minLength": 1, "maxLength": 200},
                "phones": _ONE_OR_MANY,
                "emails": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            },
        },
    },
    "example": [
        {"fullName": "Ivan Potapov", "phones": "776429", "emails": ""},
        {"fullName": "Olga Popova", "phones": ["776413", "776450"], "emails": ""},
    ],
}
CSV_TEXT: dict[str, Any] = {
    "schema": {"type": "string"},
    "example": "fullName,phones,emails\nIvan Potapov,776429,\nOlga Popova,776413;776450,\n",
}
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary", "minLength": 1}}

_WORDS: dict[int, str] = {
    400: "Something in the request breaks a rule; `message` says what.",
    401: "No token, or an unknown one.",
    403: "The token does not allow it.",
    404: "No such resource, or somebody else's.",
    405: "The method does not apply; `Allow` names those that do.",
    409: "The state of the resource does not allow it.",
    413: "The body is over the limit.",
    415: "The body's type is not taken here.",
    416: "No byte of the range is there.",
    500: "An error of ours.",
    501: "Not available yet.",
    503: "A service behind the gateway does not answer in time; try again.",
}
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
