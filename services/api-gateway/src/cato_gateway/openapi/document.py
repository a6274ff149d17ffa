"""The OpenAPI document: FastAPI's, with the bodies that it does not see, without errors that never occur."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from cato_gateway.http.request_context import API
from cato_gateway.openapi import documented, examples, schema_rules
from cato_gateway.openapi.field_texts import add_descriptions

VERSION = "1.0.0"
TITLE = "CATO automatic telephone notification"
DESCRIPTION = """Call a list of people, play a message, know who was reached.

The six steps of a notification: add an audio file, add a group, add notification settings, add a task,
start it, ask for its status. Every error has the same form. `Idempotency-Key` on POST and PUT makes a retry
safe: the same key with the same body gives the first answer again for 24 hours, with another body 409.
What is read carries an `ETag`; with `If-Match` a change is made only if nobody else made one in the meantime.
Answers are compressed for clients that take gzip, bodies may be sent with `Content-Encoding: gzip`. HEAD
answers wherever GET does. Every answer has an `X-Request-ID`: the client's own, or a new one."""

_TAGS = {
    "audio files": "Recorded messages, kept as G.711 A-law.",
    "subscriber groups": "Lists of people and their numbers.",
    "notification settings": "How people are called, and what counts as reached.",
    "tasks": "What is to be played to whom; and starting it.",
    "executions": "Tasks that were started: their status and their control.",
    "history": "Calls and numbers for analysts.",
    "health": "For operators; no token needed.",
}
_TOKEN = {
    "type": "http",
    "description": (
        "`Authorization: Bearer plain:<appToken>` with a token of the configuration (manual, 2.1.1)."
    ),
    "scheme": "bearer",
    "bearerFormat": "plain:<appToken>",
}
_METHODS = ("get", "put", "post", "delete")


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once per application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE,
            version=VERSION,
            description=DESCRIPTION,
            openapi_version="3.1.0",
            routes=app.routes,
            tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        )
        schemas = _schemas(document)
        add_descriptions(schemas)
        schema_rules.complete(schemas)
        document["components"]["securitySchemes"] = {"token": _TOKEN}
        document["components"]["responses"] = {
            _response_name(status): _error(status) for status in sorted(examples.MESSAGES)
        }
        for path, operations in document["paths"].items():
            for method in _METHODS:
                if method in operations and path.startswith(API):
                    _complete(operations[method], method)
        app.openapi_schema = document
    return app.openapi_schema


def _schemas(document: dict[str, Any]) -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(model, "validation") for model in documented.BODY_MODELS.values()],
        by_alias=True,
        ref_template=documented.REFERENCE,
    )
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({name: schemas.get(name, schema) for name, schema in definitions["$defs"].items()})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return schemas


def _response_name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def _error(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    described = documented.refusals(status)[status]
    return {
        "description": described["description"],
        "headers": documented.ERROR_HEADERS.get(status, {}) | documented.REQUEST_ID,
        "content": {
            "application/json": {
                "schema": {"$ref": documented.REFERENCE.format(model="Problem")},
                "example": examples.problem_example(status, phrase),
            }
        },
    }


def _complete(operation: dict[str, Any], method: str) -> None:
    operation["security"] = [{"token": []}]
    name, keyed = operation["operationId"], method in {"put", "post"}
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    statuses = {int(status) for status in responses} | {*documented.COMMON}
    parameters = operation.setdefault("parameters", [])
    if keyed:
        statuses.add(HTTPStatus.CONFLICT)
        parameters.append(documented.IDEMPOTENCY_KEY)
    if name in documented.CHANGES_OF_VERSIONS:
        statuses.add(HTTPStatus.PRECONDITION_FAILED)
        parameters.append(documented.IF_MATCH)
    if name in documented.READS_OF_ONE:
        responses.setdefault("304", {"description": "The client has it already."})
        statuses.add(HTTPStatus.NOT_MODIFIED)
        parameters.append(documented.IF_NONE_MATCH)
    if name == documented.READ_OF_CONTENT:
        parameters.extend(documented.RANGE)
    for status in sorted(statuses):
        if status >= HTTPStatus.BAD_REQUEST:
            responses[str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    _complete_success(name, responses)
    operation["responses"] = dict(sorted(responses.items()))
    if not parameters:
        del operation["parameters"]
    for parameter in parameters:
        schema_rules.complete_parameter(parameter)


def _complete_success(name: str, responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            continue
        headers = response.get("headers", {}) | documented.REQUEST_ID
        if name in documented.WITH_ETAG and status != "204":
            headers |= documented.ETAG
        response["headers"] = headers
        if name in documented.LINKS and status == "200":
            response["links"] = documented.LINKS[name]
        content = response.get("content", {}).get("application/json")
        if content is not None and name in examples.ANSWERS:
            content["example"] = examples.ANSWERS[name]
        if response["description"] == "Successful Response":
            response["description"] = "Done." if status == "200" else "Removed."
