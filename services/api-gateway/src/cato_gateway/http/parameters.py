"""Reject parameters that an operation does not declare: unknown query parameters, unsupported `If-Match`."""

from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request

from cato_contracts.errors import InvalidError

_IF_MATCH = "if-match"


class DeclaredParameters:
    """The parameters of every operation, as the OpenAPI document of the application lists them."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def check(self, request: Request) -> None:
        """Check the parameters of a request.

        An unknown query parameter is an error: a mistyped `hangup` must not be ignored. So is an `If-Match`
        that the operation does not support: its sender relies on it.

        Raises:
            InvalidError: for the first parameter that the operation does not declare.

        """
        has_condition = _IF_MATCH in request.headers and request.method != "GET"
        if not request.query_params and not has_condition:
            return
        names = self._names.get(request.scope["route"].name, {})
        known = names.get("query", set())
        for name in request.query_params:
            if name not in known:
                allowed = f"; allowed: {', '.join(sorted(known))}" if known else ""
                raise InvalidError(f"unknown parameter {name}{allowed}")
        if has_condition and _IF_MATCH not in names.get("header", set()):
            raise InvalidError("If-Match applies only to replacing and removing a resource")

    @cached_property
    def _names(self) -> dict[str, dict[str, set[str]]]:
        """The names of parameters by operation and by where they are sent; headers in lower case."""
        found: dict[str, dict[str, set[str]]] = {}
        for path in self._app.openapi()["paths"].values():
            for operation in path.values():
                names = found.setdefault(operation["operationId"], {})
                for parameter in operation.get("parameters", ()):
                    names.setdefault(parameter["in"], set()).add(_name(parameter))
        return found


def _name(parameter: dict[str, Any]) -> str:
    name: str = parameter["name"]
    return name.lower() if parameter["in"] == "header" else name
