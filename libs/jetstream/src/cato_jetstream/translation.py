"""Translate every exception of the NATS client into an EventLogError."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nats.errors
import nats.js.errors

from cato_jetstream.errors import (
    Conflict,
    EventLogError,
    InFlight,
    NameInUse,
    NoListener,
    NotFound,
    Rejected,
    SubjectFull,
    TimedOut,
    Unavailable,
)

WRONG_LAST_SEQUENCE = (10071, 10164)
"""The server's codes for "wrong last sequence: N", and for another write to the subject that is in flight."""

_BAD_REQUEST = 400
_LOCAL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_NOTHING_THERE = (None, 10037, 10014)
"""No such message (direct gets have no code), no such consumer. A missing stream is reported otherwise."""

_BY_CODE: dict[int | None, type[EventLogError]] = {
    **dict.fromkeys(WRONG_LAST_SEQUENCE, Conflict),
    10158: InFlight,  # a write with the same message id
    10077: SubjectFull,
    10058: NameInUse,
}
_BY_CLASS: tuple[tuple[type[Exception], type[EventLogError]], ...] = (
    (nats.errors.BadHeaderError, Rejected),
    (nats.errors.BadSubjectError, Rejected),
    (nats.errors.MaxPayloadError, Rejected),
    (TimeoutError, TimedOut),
    (nats.errors.NoRespondersError, NoListener),
    (nats.js.errors.NoStreamResponseError, NoListener),
)


def translate(error: Exception, what: str = "") -> EventLogError:
    """Translate an exception of the client or the network; `what` names the failed operation."""
    text = f"{what}: {error!r}" if what else str(error) or repr(error)
    if isinstance(error, nats.js.errors.APIError):
        return _kind_of_answer(error)(text)
    return next((ours for theirs, ours in _BY_CLASS if isinstance(error, theirs)), Unavailable)(text)


def _kind_of_answer(error: nats.js.errors.APIError) -> type[EventLogError]:
    # Subclasses of the client leave out the fields of their base.
    code, err_code = getattr(error, "code", None), getattr(error, "err_code", None)
    if isinstance(error, nats.js.errors.NotFoundError) and err_code in _NOTHING_THERE:
        return Unavailable if isinstance(error, nats.js.errors.BucketNotFoundError) else NotFound
    return _BY_CODE.get(err_code, Rejected if code == _BAD_REQUEST else Unavailable)


def translate_answer(error: dict[str, Any]) -> EventLogError:
    """Return our exception for the error object of an answer of the JetStream API."""
    try:
        raise nats.js.errors.APIError.from_error(error)  # the call raises the exception itself
    except nats.js.errors.APIError as raised:
        return translate(raised)


@contextmanager
def translated(what: str = "") -> Iterator[None]:
    """Translate exceptions of the client in the block into EventLogError; `what` names the failed operation.

    An error of the local disk is not translated, because the broker did not cause it. ValueError is
    translated, as the client parses answers without checks: a truncated answer, a malformed name.
    """
    try:
        yield
    except EventLogError:
        raise
    except OSError as error:
        if error.errno in _LOCAL_DISK:
            raise
        raise translate(error, what) from error
    except (nats.errors.Error, ValueError) as error:
        raise translate(error, what) from error
