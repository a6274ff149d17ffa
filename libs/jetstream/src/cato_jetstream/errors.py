"""The errors of this package, below those of `cato_contracts.errors`.

EventLogError
├── Conflict          another write came first; read again and decide again
│   └── DuplicateId   a message with this id was written before, by another write
├── NotFound          no such commit, message, consumer or object
├── NameInUse         a stream of this name exists, with another configuration
├── SubjectFull       the subject has as many messages as its stream allows
├── Unavailable       the server did not answer in time, or refuses for the time being; it is unknown whether
│   │                 a write happened, so repeat it with the same command id. Also a BrokerError.
│   ├── TimedOut          no answer in time
│   ├── NoListener        no service, or no stream, listens on the subject
│   └── InFlight      a write with the same message id is not decided yet
├── Rejected          can never succeed as it is: too large, malformed subject or command id
├── Corrupt           stored data cannot be read by this code, or the log has lost its tail
├── UnstableName      an aggregate or event class would be stored under its class path
└── Misuse            a programming error: an aggregate of another repository, a command id used twice
"""

# ruff: noqa: N818 - callers read better as `except Conflict`

from cato_contracts.errors import BrokerError, CatoError, PermanentError


class EventLogError(CatoError):
    """Base of everything that this package raises on purpose."""


class Conflict(EventLogError):
    """Another write came first."""


class DuplicateId(Conflict):
    """A message with this id was written before, at `sequence`, and not by this write."""

    def __init__(self, message: str, sequence: int) -> None:
        super().__init__(message)
        self.sequence = sequence


class NotFound(EventLogError):
    """There is no such commit, message, consumer or object."""


class NameInUse(EventLogError):
    """A stream of this name exists, with another configuration."""


class SubjectFull(EventLogError):
    """The subject has as many messages as its stream allows."""


class Unavailable(EventLogError, BrokerError):
    """No answer in time, or a refusal for the time being. The outcome of a write is unknown."""


class TimedOut(Unavailable):
    """There was no answer in time."""


class NoListener(Unavailable):
    """No service, or no stream, listens on the subject."""


class InFlight(Unavailable):
    """Another write with the same message id is not decided yet."""


class Rejected(EventLogError, PermanentError):
    """The request can never succeed as it is."""


class Corrupt(EventLogError, PermanentError):
    """Stored data that this code cannot read, or a log that is shorter than what was already read."""


class UnstableName(EventLogError):
    """A class would be stored under its class path, and could never be moved or renamed."""


class Misuse(EventLogError):
    """A programming error of the caller."""
