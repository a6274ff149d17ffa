"""Event-sourced aggregates on NATS JetStream."""

from cato_eventlog.commit import Commit, Message, Stored
from cato_eventlog.errors import (
    Conflict,
    Corrupt,
    EventLogError,
    Misuse,
    NotFound,
    Rejected,
    Unavailable,
    UnstableName,
)
from cato_eventlog.follower import Follower
from cato_eventlog.jetstream import JetStreamLog
from cato_eventlog.log import Appended, Log, Record
from cato_eventlog.memory import MemoryLog
from cato_eventlog.repository import Head, Repository
from cato_eventlog.transcoding import DataclassAsDict, EnumAsValue, ModelAsDict, StrictTranscoder

__all__ = [
    "Appended",
    "Commit",
    "Conflict",
    "Corrupt",
    "DataclassAsDict",
    "EnumAsValue",
    "EventLogError",
    "Follower",
    "Head",
    "JetStreamLog",
    "Log",
    "MemoryLog",
    "Message",
    "Misuse",
    "ModelAsDict",
    "NotFound",
    "Record",
    "Rejected",
    "Repository",
    "Stored",
    "StrictTranscoder",
    "Unavailable",
    "UnstableName",
]
