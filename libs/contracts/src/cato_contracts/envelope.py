"""The envelope around every command, query and event, and the answer to a request."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import JsonValue, SerializeAsAny, ValidationError

from cato_contracts.model import Frozen, Instant

_MESSAGES: dict[str, type["Message"]] = {}
_UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


class UndecodableError(ValueError):
    """The bytes are no message of these contracts: broken JSON, unknown type or version, wrong body."""


class Message(Frozen):
    """The body of an envelope: its class name is the wire's type; `version` rises on a breaking change."""

    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        generic = cls.__pydantic_generic_metadata__
        if generic["origin"] or generic["parameters"]:  # a base of requests, not a message of its own
            return
        known = _MESSAGES.get(cls.__name__)
        if known is not None and known.__module__ != cls.__module__:
            msg = f"two messages are named {cls.__name__}: {known.__module__} and {cls.__module__}"
            raise TypeError(msg)
        _MESSAGES[cls.__name__] = cls


M = TypeVar("M", bound=Message)


class Envelope(Frozen, Generic[M]):
    """What goes over the wire.

    `event_id` identifies the message for ever: a message that is sent again carries the same one.
    `correlation_id` is the request that all this began with, `causation_id` the message that led to this one.
    """

    type: str
    version: int
    event_id: str
    correlation_id: str
    causation_id: str | None = None
    occurred_at: Instant
    body: SerializeAsAny[M]

    @classmethod
    def wrap(
        cls,
        body: M,
        *,
        event_id: str,
        occurred_at: Instant,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> Self:
        """Put `body` into its envelope; a message without a correlation begins one."""
        return cls(
            type=type(body).__name__,
            version=type(body).version,
            event_id=event_id,
            correlation_id=correlation_id or event_id,
            causation_id=causation_id,
            occurred_at=occurred_at,
            body=body,
        )

    def encode(self) -> bytes:
        return self.model_dump_json().encode()


def upcaster(
    message_type: str, from_version: int
) -> Callable[[Callable[[dict[str, Any]], dict[str, Any]]], Callable[[dict[str, Any]], dict[str, Any]]]:
    """Register the function that turns a body of `from_version` into one of the next version."""

    def register(
        function: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        _UPCASTERS[message_type, from_version] = function
        return function

    return register


def decode(raw: bytes | str | dict[str, Any]) -> Envelope[Message]:
    """Return the envelope in `raw`, its body lifted to the current version of its type.

    Raises:
        UndecodableError: for whatever is wrong with it.

    """
    try:
        fields = raw if isinstance(raw, dict) else json.loads(raw)
        message_type, version, body = fields["type"], fields["version"], fields["body"]
        message = _MESSAGES[message_type]
        while version < message.version:
            body = _UPCASTERS[message_type, version](body)
            version += 1
        if version > message.version:
            msg = f"{message_type} version {version} is newer than the {message.version} known here"
            raise UndecodableError(msg)
        return Envelope[message].model_validate({**fields, "version": version, "body": body})  # type: ignore[valid-type]
    except (ValidationError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"not a message: {type(error).__name__}: {error}"
        raise UndecodableError(msg) from error


def message_types() -> dict[str, type[Message]]:
    """Return every message by its type's name."""
    return dict(_MESSAGES)


class ErrorCode(StrEnum):
    """Why a request was refused; the gateway turns each into one HTTP status."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    UNAVAILABLE = "unavailable"
    NOT_IMPLEMENTED = "not_implemented"
    INTERNAL = "internal"


class ErrorInfo(Frozen):
    """A refusal: `message` is one sentence for a person: which field, what was wrong, what is allowed."""

    code: ErrorCode
    message: str
    resource_id: str | None = None


class Answer(Frozen):
    """What every request is answered with; exactly one of `value` and `error` means something."""

    ok: bool
    value: JsonValue = None
    error: ErrorInfo | None = None
