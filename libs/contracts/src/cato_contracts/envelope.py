"""The envelope of every command, query and event, and the answer to a request."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import JsonValue, SerializeAsAny, ValidationError

from cato_contracts.errors import ErrorInfo, UndecodableError
from cato_contracts.model import Frozen, Instant

_MESSAGES: dict[str, type["Message"]] = {}
_UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


class Message(Frozen):
    """The body of an envelope. Its class name is the `type`; a breaking change increments `version`."""

    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        generic = cls.__pydantic_generic_metadata__
        if generic["origin"] or generic["parameters"]:  # a generic base of requests is not a message
            return
        known = _MESSAGES.get(cls.__name__)
        if known is not None and known.__module__ != cls.__module__:
            msg = f"two messages are named {cls.__name__}: {known.__module__} and {cls.__module__}"
            raise TypeError(msg)
        _MESSAGES[cls.__name__] = cls


M = TypeVar("M", bound=Message)


class Envelope(Frozen, Generic[M]):
    """A message as it is sent.

    `event_id` identifies the message: a message that is sent again has the same one. `correlation_id` is the
    id of the request at the start of the chain, `causation_id` that of the message that led to this one.
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
        """Return the envelope of `body`; without a `correlation_id` the message starts a new chain."""
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
    """Register the function that converts a body of `from_version` to the next version."""

    def register(
        function: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        _UPCASTERS[message_type, from_version] = function
        return function

    return register


def decode(raw: bytes | str | dict[str, Any]) -> Envelope[Message]:
    """Return the envelope in `raw`, with its body upcast to the current version.

    Raises:
        UndecodableError: if it is not a message of these contracts.

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
        return _envelope_of(message).model_validate({**fields, "version": version, "body": body})
    except (ValidationError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"not a message: {type(error).__name__}: {error}"
        raise UndecodableError(msg) from error


@cache  # pydantic looks the class up by its arguments, which takes a sixth of the time of a decode
def _envelope_of(message: type[M]) -> type[Envelope[M]]:
    return Envelope[message]  # type: ignore[valid-type]


def message_types() -> dict[str, type[Message]]:
    """Return all message classes by the name of their type."""
    return dict(_MESSAGES)


class Answer(Frozen):
    """The answer to a request. `value` applies if `ok`, otherwise `error`."""

    ok: bool
    value: JsonValue = None
    error: ErrorInfo | None = None
