"""Describe bodies and answers that routes stream, which FastAPI cannot derive."""

from typing import Any

from pydantic import BaseModel

_models: dict[str, type[BaseModel]] = {}

Content = dict[str, dict[str, Any]]


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a model's schema, which becomes part of the document."""
    _models[model.__name__] = model
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def json_content(model: type[BaseModel]) -> Content:
    """Describe JSON that a route reads as `model`."""
    return {"application/json": {"schema": reference(model)}}


def text_content(media_type: str, example: str) -> Content:
    """Describe text of some kind."""
    return {media_type: {"schema": {"type": "string"}, "example": example}}


def binary_content(*media_types: str) -> Content:
    """Describe bytes."""
    schema = {"type": "string", "format": "binary", "minLength": 1}
    return {media_type: {"schema": schema} for media_type in media_types}


def event_content(media_type: str, event: type[BaseModel], example: str) -> Content:
    """Describe a stream of events: as the text of the stream, and each event for tools that parse it.

    OpenAPI 3.1 has no `itemSchema`.
    """
    schema = {"anyOf": [{"type": "string", "contentMediaType": media_type}, reference(event)]}
    return {media_type: {"schema": schema, "example": example}}


def request_body(content: Content) -> dict[str, Any]:
    """Declare the body of a route, for its `openapi_extra`."""
    return {"requestBody": {"required": True, "content": content}}


def optional_body(content: Content) -> dict[str, Any]:
    """Declare the body of a route that may be left out, for its `openapi_extra`."""
    return {"requestBody": {"required": False, "content": content}}


def referenced_models() -> list[type[BaseModel]]:
    """Return the models that `reference` was called with."""
    return list(_models.values())
