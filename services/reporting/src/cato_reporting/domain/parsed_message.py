"""Messages of the log: parsed and checked one by one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from cato_contracts.envelope import Envelope, Message, decode
from cato_contracts.errors import UndecodableError
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import (
    RunApprovalExpired,
    RunApproved,
    RunEnded,
    RunPaused,
    RunRejected,
    RunResumed,
    RunStarted,
    RunStationsDown,
    RunStationsUp,
    RunStopping,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)

LIFE_EVENTS = (
    RunStarted,
    WaveStarted,
    WaveEnded,
    RunPaused,
    RunResumed,
    RunStationsDown,
    RunStationsUp,
    RunApproved,
    RunRejected,
    RunApprovalExpired,
    RunStopping,
    RunEnded,
)

# Named once: looking up a parametrised class takes a quarter of the time of parsing a message.
_CALL_ENVELOPE = Envelope[CallEvent]
_RESULT_ENVELOPE = Envelope[SubscriberResult]

# Bounds of the columns of the read model. A number beyond them comes from a damaged message.
_MAX_NO = 2**32 - 1
_MAX_WAVE = 255
_MAX_SHORT = 2**16 - 1
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A parsed message of the log.

    `events` are its envelopes in order. `fault` is the reason why the message, or a part of it, cannot be
    used. The valid envelopes of a partly invalid commit are used.
    """

    run_id: UUID | None
    events: tuple[Envelope[Any], ...] = ()
    fault: str | None = None


class _FaultError(Exception):
    """A message cannot be used."""


def parse_message(subject: str, data: bytes) -> ParsedMessage:
    """Parse one message by itself. Never raises: what is wrong is the `fault` of the result."""
    match subject.split("."):
        case ["run", run, "call" | "opt-out" | "result" as kind, no]:
            return _read_event(run, kind, no, data)
        case ["run", run, "life"]:
            return _read_commit(run, data)
        case ["run", run, "fence", _]:
            return _read_fence(run)
    return ParsedMessage(None, fault=f"no subject of a run: {subject}")


def _read_event(run: str, kind: str, no: str, data: bytes) -> ParsedMessage:
    run_id: UUID | None = None
    try:
        run_id = _run_id(run)
        envelope: Envelope[Any] = _result(data) if kind == "result" else _call_event(data)
        _check_event(envelope, run_id, no)
    except (_FaultError, UndecodableError) as error:
        return ParsedMessage(run_id, fault=str(error))
    return ParsedMessage(run_id, (envelope,))


def _read_fence(run: str) -> ParsedMessage:
    try:
        return ParsedMessage(_run_id(run))
    except _FaultError as error:
        return ParsedMessage(None, fault=str(error))


def _check_event(envelope: Envelope[Any], run_id: UUID, no: str) -> None:
    event = envelope.body
    if event.run_id != run_id or str(event.no) != no:
        raise _FaultError("the subject names another run or subscriber than the message")
    _check_time(envelope)
    if not 0 <= event.no <= _MAX_NO or not 1 <= event.wave <= _MAX_WAVE:
        raise _FaultError(f"subscriber {event.no} in wave {event.wave} is out of bounds")


def _call_event(data: bytes) -> Envelope[CallEvent]:
    envelope: Envelope[CallEvent] = _decode_as(CallEvent, _CALL_ENVELOPE, data)
    event = envelope.body
    short = (event.seq, event.phone_index, event.sip_code or 0)
    if min(short) < 0 or max(short) > _MAX_SHORT or not 0 <= (event.heard_ms or 0) <= _MAX_NO:
        raise _FaultError("seq, phone_index, sip_code or heard_ms is out of bounds")
    return envelope


def _result(data: bytes) -> Envelope[SubscriberResult]:
    envelope: Envelope[SubscriberResult] = _decode_as(SubscriberResult, _RESULT_ENVELOPE, data)
    members = envelope.body.members
    if members and not 0 <= min(members) <= max(members) <= _MAX_NO:
        raise _FaultError("a member of the household is out of bounds")
    return envelope


def _decode_as(body: type[Message], envelope_type: Any, data: bytes) -> Any:
    # Nearly all messages have the type and the current version of their subject. Parsing these in one step
    # takes a fraction of the time of the general way, which knows older versions and describes faults.
    try:
        envelope = envelope_type.model_validate_json(data)
    except ValidationError:
        envelope = None
    if envelope is not None and envelope.type == body.__name__ and envelope.version == body.version:
        return envelope
    general = _decoded(data)
    if not isinstance(general.body, body):
        raise _FaultError(f"a {general.type} where a {body.__name__} belongs")
    return general


def _decoded(raw: bytes | dict[str, Any]) -> Envelope[Message]:
    envelope = decode(raw)
    try:
        envelope.encode()
    except ValueError as error:
        # JSON can name half of a surrogate pair; no text can hold one.
        raise _FaultError(f"no text that can be written down: {error}") from error
    return envelope


def _read_commit(run: str, data: bytes) -> ParsedMessage:
    run_id: UUID | None = None
    try:
        run_id = _run_id(run)
        messages = _messages(data)
    except _FaultError as error:
        return ParsedMessage(run_id, fault=str(error))
    events: list[Envelope[Any]] = []
    faults: list[str] = []
    for message in messages:
        try:
            envelope = _decoded(message)
            if isinstance(envelope.body, LIFE_EVENTS):
                events.append(_life_event(run_id, envelope))
        except (_FaultError, UndecodableError) as error:
            faults.append(str(error))
    return ParsedMessage(run_id, tuple(events), "; ".join(faults) or None)


def _messages(data: bytes) -> list[Any]:
    try:
        messages = json.loads(data)["messages"]
    except (ValueError, TypeError, KeyError) as error:
        raise _FaultError(f"not a commit: {error!r}") from error
    if not isinstance(messages, list):
        raise _FaultError("the messages of the commit are no list")
    return messages


def _life_event(run_id: UUID, envelope: Envelope[Any]) -> Envelope[Any]:
    event = envelope.body
    _check_time(envelope)
    named = event.snapshot.run_id if isinstance(event, RunStarted) else event.run_id
    if named != run_id:
        raise _FaultError("the subject names another run than the message")
    if isinstance(event, WaveStarted | WaveEnded) and not 1 <= event.wave <= _MAX_WAVE:
        raise _FaultError(f"wave {event.wave} is out of bounds")
    if isinstance(event, RunStarted) and not 0 <= event.snapshot.subscriber_count <= _MAX_NO:
        raise _FaultError(f"{event.snapshot.subscriber_count} subscribers are out of bounds")
    return envelope


@lru_cache(maxsize=1024)
def _run_id(text: str) -> UUID:
    try:
        run_id = UUID(text)
    except ValueError as error:
        raise _FaultError(f"{text!r} is not the id of a run") from error
    if str(run_id) != text:
        raise _FaultError(f"{text!r} is not the canonical form of a run's id")
    return run_id


def _check_time(envelope: Envelope[Any]) -> None:
    if not _EARLIEST <= envelope.occurred_at < _LATEST:
        raise _FaultError(f"{envelope.occurred_at} is no time for an event")
