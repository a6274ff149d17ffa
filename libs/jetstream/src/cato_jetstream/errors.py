"""What can go wrong with the event log.

EventLogError
├── Conflict      another command was committed first; load again and decide again
├── NotFound      no commit of this aggregate
├── Unavailable   the server did not answer in time, or refuses for the time being; whether a write happened
│                 is unknown, so repeat it with the same command id
├── Rejected      can never succeed as it is: too large, malformed subject or command id
├── Corrupt       what is stored cannot be read by this code, or the log has lost its tail
├── UnstableName  an aggregate or event class would be stored under its class path
└── Misuse        a programming error: an aggregate of another repository, a command id used twice
"""

# ruff: noqa: N818 - callers read better as `except Conflict`


class EventLogError(Exception):
    """Base of everything that this package raises on purpose."""


class Conflict(EventLogError):
    """Another command was committed first."""


class NotFound(EventLogError):
    """There is no commit of this aggregate."""


class Unavailable(EventLogError):
    """No answer in time, or a refusal for the time being. The outcome of a write is unknown."""


class Rejected(EventLogError):
    """The request can never succeed as it is."""


class Corrupt(EventLogError):
    """Stored data that this code cannot read, or a log that is shorter than what was already read."""


class UnstableName(EventLogError):
    """A class would be stored under its class path, and could never be moved or renamed."""


class Misuse(EventLogError):
    """A programming error of the caller."""
