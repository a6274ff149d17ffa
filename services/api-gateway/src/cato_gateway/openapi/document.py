"""The OpenAPI document: the one that FastAPI derives, with additions that it cannot derive."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cato_gateway.http.error_responses import Problem
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import referenced_models
from cato_gateway.openapi.examples import example_of

VERSION = "1.0.0"
TITLE = "CATO automatic telephone notification"
DESCRIPTION = """Call a list of people, play a message, report who was reached.

The six steps of a notification: add an audio file, add a group, add notification settings, add a task,
start it, ask for its status. Every error has the same form. `Idempotency-Key` on POST and PUT makes a retry
safe: the same key with the same body gives the first answer again for 24 hours, with another body 409.
What is read carries an `ETag`; with `If-Match` a change is made only if the resource has not changed in the
meantime.
Answers are compressed for clients that take gzip, bodies may be sent with `Content-Encoding: gzip`. HEAD
answers wherever GET does. Every answer has an `X-Request-ID`: the client's own, or a new one."""

_SERVERS = [{"url": "/", "description": "The address that the document came from."}]
_TAGS = {
    "audio files": "Recorded messages, kept as G.711 A-law.",
    "subscriber groups": "Lists of people and their numbers.",
    "notification settings": "How people are called, and what counts as reached.",
    "tasks": "What is to be played to whom; and starting it.",
    "executions": "Tasks that were started: their status and their control.",
    "approvals": "Executions that a second user must approve before their first call.",
    "history": "Calls and numbers for analysts.",
    "stations": "The exchanges that calls go through.",
    "tokens": "Whom a token stands for, and what it allows.",
    "health": "For operators; no token needed.",
}
_FASTAPI_ERROR = "422"
_FASTAPI_SCHEMAS = ("HTTPValidationError", "ValidationError")
_FASTAPI_DESCRIPTION = "Successful Response"
_JSON = "application/json"


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document, which is created once per application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE,
            version=VERSION,
            description=DESCRIPTION,
            openapi_version="3.1.0",
            routes=app.routes,
            tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
            servers=_SERVERS,
        )
        components = document["components"]
        components["responses"] = responses.components()
        schemas = components["schemas"]
        _add_schemas(schemas)
        for operations in document["paths"].values():
            for operation in operations.values():
                _complete(operation, schemas)
        _loosen(document)
        app.openapi_schema = document
    return app.openapi_schema


def _add_schemas(schemas: dict[str, Any]) -> None:
    """Add the schemas that only bodies and errors use; drop those of FastAPI's own error and its titles."""
    models: list[type[BaseModel]] = [Problem, *referenced_models()]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    for name, schema in definitions["$defs"].items():
        schemas.setdefault(name, schema)
    for name in _FASTAPI_SCHEMAS:
        schemas.pop(name, None)
    for schema in schemas.values():
        for described in schema.get("properties", {}).values():
            described.pop("title", None)


def _loosen(document: dict[str, Any]) -> None:
    """Describe the schemas in a way that generators of clients understand.

    A property with `default` becomes a required one in TypeScript, so the descriptions name the defaults.
    An answer may gain fields in a later version, so only the schemas of requests forbid unknown ones.
    """
    schemas = document["components"]["schemas"]
    strict = _names_in(
        [each.get("requestBody") for path in document["paths"].values() for each in path.values()]
    )
    found = set(strict)
    while found:
        found = _names_in([schemas[name] for name in found]) - strict
        strict |= found
    for name, schema in schemas.items():
        if name not in strict:
            schema.pop("additionalProperties", None)
        for described in schema.get("properties", {}).values():
            default = described.pop("default", None)
            if default is not None and name in strict:
                described["description"] += f" Default: {json.dumps(default)}."


def _names_in(node: Any) -> set[str]:
    """Return the names of the schemas that a part of the document refers to."""
    if isinstance(node, dict):
        own = {node["$ref"].rpartition("/")[2]} if "$ref" in node else set()
        return own.union(*(_names_in(each) for each in node.values()))
    return set().union(*(_names_in(each) for each in node)) if isinstance(node, list) else set()


def _complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    found: dict[str, Any] = operation["responses"]
    found.pop(_FASTAPI_ERROR, None)
    for status, response in found.items():
        if "$ref" in response:
            found[status] = {"$ref": response["$ref"]}
        else:
            _complete_response(response, status, schemas)
    operation["responses"] = dict(sorted(found.items()))
    operation.setdefault("security", [])
    for parameter in operation.get("parameters", ()):
        _drop_null(parameter)
    _add_examples(operation.get("requestBody", {}), schemas)


def _complete_response(response: dict[str, Any], status: str, schemas: dict[str, Any]) -> None:
    if response["description"] == _FASTAPI_DESCRIPTION:
        response["description"] = "Removed." if int(status) == HTTPStatus.NO_CONTENT else "Done."
    response["headers"] = response.get("headers", {}) | responses.REQUEST_ID
    _add_examples(response, schemas)


def _add_examples(described: dict[str, Any], schemas: dict[str, Any]) -> None:
    content = described.get("content", {}).get(_JSON)
    if content is not None:
        content.setdefault("example", example_of(content["schema"], schemas))


def _drop_null(parameter: dict[str, Any]) -> None:
    """Remove null from a parameter's schema: it means an absent parameter, and clients cannot send it."""
    schema = parameter["schema"]
    forms = [form for form in schema.get("anyOf", ()) if form.get("type") != "null"]
    if len(forms) == 1:
        del schema["anyOf"]
        parameter["schema"] = forms[0] | schema
