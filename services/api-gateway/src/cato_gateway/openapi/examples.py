"""Examples of JSON, composed from the examples of the fields."""

from collections.abc import Mapping
from typing import Any


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return an example for a schema: its own, its default, one composed from those of its parts, or null.

    Raises:
        LookupError: if a part has none of these.

    """
    if "examples" in schema:
        return _with_nulls(schema["examples"][0], schema, schemas)
    if "default" in schema:
        return schema["default"]
    if "$ref" in schema:
        return example_of(_resolved(schema, schemas), schemas)
    return _composed(schema, schemas)


def _composed(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        found = {name: example_of(part, schemas) for name, part in properties.items()}
        return {"id": found["id"], **found} if "id" in found else found
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if {"type": "null"} in schema.get("anyOf", ()):
        return None
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    raise LookupError(f"no example for {schema}")


def _with_nulls(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Put the nulls of required fields back, which FastAPI drops from its document."""
    if not isinstance(example, dict):
        return example
    return dict.fromkeys(_resolved(schema, schemas).get("required", ())) | example


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found
