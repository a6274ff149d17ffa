"""Translate every exception of the NATS client into one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nats.errors
import nats.js.errors

from cato_jetstream.errors import (
    Conflict,
    EventLogError,
    InFlight,
    NotFound,
    Rejected,
    SubjectFull,
    Unavailable,
)

WRONG_LAST_SEQUENCE = (10071, 10164)
"""The server's codes for "wrong last sequence: N", and for another write to the subject that is in flight."""

_BAD_REQUEST = 400
_NOTHING_THERE = (None, 10037, 10014)
"""No such message (direct gets give no code), no such consumer. A missing stream is no such answer."""

_BY_CODE: dict[int | None, type[EventLogError]] = {
    **dict.fromkeys(WRONG_LAST_SEQUENCE, Conflict),
    10158: InFlight,  # a write with the same message id
    10077: SubjectFull,
}
_NEVER_VALID = (
    nats.errors.BadHeaderError,
    nats.errors.BadSubjectError,
    nats.errors.MaxPayloadError,
)


def translate(error: Exception, what: str = "") -> EventLogError:
    """Return our exception for one of the client's or of the network's, with `what` failed in front."""
    text = f"{what}: {error!r}" if what else str(error) or repr(error)
    if isinstance(error, nats.js.errors.APIError):
        # Subclasses of the client leave out the fields of their base.
        code, err_code = getattr(error, "code", None), getattr(error, "err_code", None)
        if isinstance(error, nats.js.errors.BucketNotFoundError):
            return Unavailable(text)
        if isinstance(error, nats.js.errors.NotFoundError) and err_code in _NOTHING_THERE:
            return NotFound(text)
        if (ours := _BY_CODE.get(err_code)) is not None:
            return ours(text)
        if code == _BAD_REQUEST:
            return Rejected(text)
    elif isinstance(error, _NEVER_VALID):
        return Rejected(text)
    return Unavailable(text)


def translate_answer(error: dict[str, Any]) -> EventLogError:
    """Return our exception for the error object of an answer of the JetStream API."""
    try:
        raise nats.js.errors.APIError.from_error(error)  # it raises by itself
    except nats.js.errors.APIError as raised:
        return translate(raised)


@contextmanager
def translated(what: str = "") -> Iterator[None]:
    """Raise what the client raises inside as an EventLogError, with `what` failed in front.

    ValueError is among them, as the client parses answers without checks: a truncated answer, a malformed
    name.
    """
    try:
        yield
    except EventLogError:
        raise
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
        raise translate(error, what) from error
