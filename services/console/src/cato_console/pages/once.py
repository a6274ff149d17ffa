"""Forms that are sent twice are carried out once."""

import secrets
from dataclasses import replace
from typing import TypeVar

from cato_client import Operation

T = TypeVar("T")

_LEAST_CHARACTERS = 8
_MOST_CHARACTERS = 64


def new_key() -> str:
    """Return the key of a form."""
    return secrets.token_urlsafe(12)


def once(operation: Operation[T], key: str) -> Operation[T]:
    """Return the operation with the key of its form: a second click is the same request."""
    if not (_LEAST_CHARACTERS <= len(key) <= _MOST_CHARACTERS and key.isascii() and key.isprintable()):
        return operation
    return replace(operation, headers={**operation.headers, "Idempotency-Key": f"console-{key}"})
