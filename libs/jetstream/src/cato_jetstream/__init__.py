"""CATO's use of NATS JetStream: the event log, conditional writes, leases, consumers, dead letters."""

from cato_jetstream.address import BrokerAddress
from cato_jetstream.backoff import backoff_s
from cato_jetstream.buckets import Bucket, Entry
from cato_jetstream.dead_letters import DeadLetter, DeadLetters, DeadLetterStream, Origin
from cato_jetstream.delivery import Delivery
from cato_jetstream.errors import (
    Conflict,
    Corrupt,
    DuplicateId,
    EventLogError,
    InFlight,
    Misuse,
    NameInUse,
    NoListener,
    NotFound,
    Rejected,
    SubjectFull,
    TimedOut,
    Unavailable,
    UnstableName,
)
from cato_jetstream.eventlog.commit import Commit, Message, Stored
from cato_jetstream.eventlog.follower import Follower
from cato_jetstream.eventlog.jetstream_log import JetStreamLog
from cato_jetstream.eventlog.log import Appended, Log, Record
from cato_jetstream.eventlog.repository import Head, Repository
from cato_jetstream.eventlog.transcoding import DataclassAsDict, EnumAsValue, ModelAsDict, StrictTranscoder
from cato_jetstream.leases import Lease
from cato_jetstream.pipeline import Outgoing, publish_all
from cato_jetstream.publish import ConditionalPublisher, Written
from cato_jetstream.pull_feed import Pace, PullFeed, ephemeral_feed
from cato_jetstream.replies.stored_acks import StoredAcks
from cato_jetstream.replies.subject_reader import SubjectReader
from cato_jetstream.translation import translate, translated

__all__ = [
    "Appended",
    "BrokerAddress",
    "Bucket",
    "Commit",
    "ConditionalPublisher",
    "Conflict",
    "Corrupt",
    "DataclassAsDict",
    "DeadLetter",
    "DeadLetterStream",
    "DeadLetters",
    "Delivery",
    "DuplicateId",
    "Entry",
    "EnumAsValue",
    "EventLogError",
    "Follower",
    "Head",
    "InFlight",
    "JetStreamLog",
    "Lease",
    "Log",
    "Message",
    "Misuse",
    "ModelAsDict",
    "NameInUse",
    "NoListener",
    "NotFound",
    "Origin",
    "Outgoing",
    "Pace",
    "PullFeed",
    "Record",
    "Rejected",
    "Repository",
    "Stored",
    "StoredAcks",
    "StrictTranscoder",
    "SubjectFull",
    "SubjectReader",
    "TimedOut",
    "Unavailable",
    "UnstableName",
    "Written",
    "backoff_s",
    "ephemeral_feed",
    "publish_all",
    "translate",
    "translated",
]
