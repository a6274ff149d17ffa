"""Event-sourced aggregates on NATS JetStream."""

from cato_jetstream.commit import Commit, Message, Stored
from cato_jetstream.errors import (
    Conflict,
    Corrupt,
    EventLogError,
    Misuse,
    NotFound,
    Rejected,
    Unavailable,
    UnstableName,
)
from cato_jetstream.follower import Follower
from cato_jetstream.jetstream import JetStreamLog
from cato_jetstream.log import Appended, Log, Record
from cato_jetstream.memory import MemoryLog
from cato_jetstream.repository import Head, Repository
from cato_jetstream.transcoding import DataclassAsDict, EnumAsValue, ModelAsDict, StrictTranscoder

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
