"""Every exception of the NATS client becomes one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
import nats.js.errors

from cato_jetstream.errors import Conflict, EventLogError, Rejected, Unavailable

# "wrong last sequence: N", and the same for a message that is still on its way through the cluster.
_WRONG_LAST_SEQUENCE = (10071, 10164)
_BAD_REQUEST = 400
_NEVER_VALID = (
    nats.errors.BadHeaderError,
    nats.errors.BadSubjectError,
    nats.errors.MaxPayloadError,
)


def translate(error: Exception) -> EventLogError:
    """Our exception for one of the client's, or of the network below it."""
    if isinstance(error, nats.js.errors.APIError):
        # Subclasses of the client leave out the fields of their base.
        err_code = getattr(error, "err_code", None)
        if err_code in _WRONG_LAST_SEQUENCE:
            return Conflict(str(error))
        if getattr(error, "code", None) == _BAD_REQUEST:
            return Rejected(str(error))
    elif isinstance(error, _NEVER_VALID):
        return Rejected(str(error))
    return Unavailable(str(error) or repr(error))


@contextmanager
def translated() -> Iterator[None]:
    """What the client raises inside leaves as an EventLogError.

    ValueError is among them as the client parses answers without looking: a truncated one, a malformed name.
    """
    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
        raise translate(error) from error
