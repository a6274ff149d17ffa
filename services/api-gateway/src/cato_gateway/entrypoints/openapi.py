"""The OpenAPI document: FastAPI's, with the bodies that it does not see, without errors that never occur."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from cato_gateway.entrypoints import documented
from cato_gateway.entrypoints.call import API

VERSION = "1.0.0"
TITLE = "CATO automatic telephone notification"
DESCRIPTION = """Call a list of people, play a message, know who was reached.

The six steps of a notification: add an audio file, add a group, add notification settings, add a task,
start it, ask for its status. Every error has the same form. `Idempotency-Key` on POST and PUT makes a retry
safe: the same key with the same body gives the first answer again for 24 hours, with another body 409."""

_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "A word of the client's own for this request; retries send the same.",
}
_METHODS = ("get", "put", "post", "delete")


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once per application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE, version=VERSION, description=DESCRIPTION, openapi_version="3.1.0", routes=app.routes
        )
        _, definitions = models_json_schema(
            [(model, "validation") for model in documented.BODY_MODELS.values()],
            by_alias=True,
            ref_template=documented.REFERENCE,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update({name: schemas.get(name, schema) for name, schema in definitions["$defs"].items()})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, operations in document["paths"].items():
            for method in _METHODS:
                if method in operations:
                    _complete(operations[method], path, method)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    if not path.startswith(API):
        return
    keyed = method in {"put", "post"}
    for status in (*documented.COMMON, *([409] if keyed else [])):
        described = documented.refusals(status)[status]
        responses.setdefault(
            str(status),
            {
                "description": described["description"],
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
    operation["responses"] = dict(sorted(responses.items()))
    if keyed:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY)
