"""Translate every exception of the NATS client into one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
import nats.js.errors

from cato_jetstream.errors import Conflict, EventLogError, InFlight, Rejected, Unavailable

WRONG_LAST_SEQUENCE = (10071, 10164)
"""The server's codes for "wrong last sequence: N", and for another write to the subject that is in flight."""

_DUPLICATE_IN_FLIGHT = 10158
_BAD_REQUEST = 400
_NEVER_VALID = (
    nats.errors.BadHeaderError,
    nats.errors.BadSubjectError,
    nats.errors.MaxPayloadError,
)


def translate(error: Exception) -> EventLogError:
    """Return our exception for one of the client's, or of the network below it."""
    if isinstance(error, nats.js.errors.APIError):
        # Subclasses of the client leave out the fields of their base.
        err_code = getattr(error, "err_code", None)
        if err_code in WRONG_LAST_SEQUENCE:
            return Conflict(str(error))
        if err_code == _DUPLICATE_IN_FLIGHT:
            return InFlight(str(error))
        if getattr(error, "code", None) == _BAD_REQUEST:
            return Rejected(str(error))
    elif isinstance(error, _NEVER_VALID):
        return Rejected(str(error))
    return Unavailable(str(error) or repr(error))


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the client raises inside as an EventLogError.

    ValueError is translated too, as the client parses answers without looking: a truncated one, a malformed name.
    """
    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
        raise translate(error) from error
