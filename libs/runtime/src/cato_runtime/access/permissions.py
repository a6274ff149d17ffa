"""The users of the broker and their permissions: one user for each service, and one for operators.

This is the only place that says it. `nats_users` writes it as configuration of the server. The reasons are in
docs/decisions/0040.
"""

from dataclasses import dataclass
from enum import StrEnum

from cato_contracts.messages.audio_commands import GetAudioFiles
from cato_contracts.messages.campaign_commands import FindTasksUsingFile
from cato_contracts.objects import Bucket
from cato_contracts.subjects import (
    AUDIT,
    AUDIT_CHANGES,
    CHANNEL_PRESENCE,
    CONTACT_LIMITS,
    CONTACTS,
    DEAD,
    DIAL,
    EVENTS,
    IDEMPOTENCY,
    JOB_PRESENCE,
    KEY_VALUE_BUCKETS,
    LEASES,
    OBJECT_BUCKETS,
    PACING_RULES,
    READ_MODEL_CONSUMER,
    RUN_DISPATCH_STATES,
    RUNS,
    SIP_TRACES,
    STATION_PRESENCE,
    STREAMS,
    TRACE_ORDERS,
    BucketSpec,
    dead_letter,
    instance_presence,
)

_API = "$JS.API"


class BrokerUser(StrEnum):
    """The names of the users; a dialer has one for each role."""

    GATEWAY = "gateway"
    MEDIA = "media"
    CAMPAIGN = "campaign"
    DIAL = "dial"
    REPORTING = "reporting"
    OPERATOR = "operator"
    """Dead letters, SQL, the state of the streams, and backups; not the work of a service."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Patterns of subjects. A publication must match `publish` and nothing of `never`.

    Besides, each user may subscribe to its inbox.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def inbox_prefix(user: str) -> str:
    """Return where a user receives answers: nobody else may subscribe to it."""
    return f"_INBOX_{user}"


def _answers(*users: BrokerUser) -> tuple[str, ...]:
    """The answers to requests of these users.

    The server could allow just the answers to received requests, but it forgets them with the connection.
    """
    return tuple(f"{inbox_prefix(user)}.>" for user in users)


def _info(stream: str) -> tuple[str, ...]:
    return (f"{_API}.STREAM.INFO.{stream}",)


def _reads(stream: str) -> tuple[str, ...]:
    """Single messages, and all messages of a subject."""
    return (
        *_info(stream),
        f"{_API}.STREAM.MSG.GET.{stream}",
        f"{_API}.DIRECT.GET.{stream}",
        f"{_API}.DIRECT.GET.{stream}.>",
    )


def _follows(stream: str) -> tuple[str, ...]:
    """Consumers that the reader creates and deletes itself."""
    return (
        *_reads(stream),
        f"{_API}.CONSUMER.CREATE.{stream}",
        f"{_API}.CONSUMER.CREATE.{stream}.>",
        f"{_API}.CONSUMER.INFO.{stream}.*",
        f"{_API}.CONSUMER.DELETE.{stream}.*",
        f"{_API}.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.FC.{stream}.>",
    )


def _followed_keys(bucket: BucketSpec) -> tuple[str, ...]:
    return _follows(f"KV_{bucket.name}")


def _keys(bucket: BucketSpec, *keys: str) -> tuple[str, ...]:
    """Read all keys, write those that match."""
    return *_reads(f"KV_{bucket.name}"), *(f"$KV.{bucket.name}.{key}" for key in keys)


def _objects(bucket: Bucket) -> tuple[str, ...]:
    return _reads(f"OBJ_{bucket}")


def _written_objects(bucket: Bucket) -> tuple[str, ...]:
    """Write, replace and remove objects; the chunks of a removed one are purged."""
    return *_objects(bucket), f"$O.{bucket}.>", f"{_API}.STREAM.PURGE.OBJ_{bucket}"


def _ping(service: str) -> str:
    return f"ping.{service}"


_STREAM_NAMES = (
    *(stream.name for stream in STREAMS),
    *(f"KV_{bucket.name}" for bucket in KEY_VALUE_BUCKETS),
    *(f"OBJ_{bucket}" for bucket in OBJECT_BUCKETS),
)
_OF_EACH_SERVICE = (
    # The service that starts first creates what is missing. No service may change or delete a stream.
    *(f"{_API}.STREAM.CREATE.{name}" for name in _STREAM_NAMES),
    # Whether the broker stores messages is found out by writing.
    f"$KV.{LEASES.name}.storage.*",
)

_GATEWAY = Permissions(
    publish=(
        *_OF_EACH_SERVICE,
        *(f"{verb}.{service}.*" for service in ("media", "dialer", "reporting") for verb in ("cmd", "qry")),
        *(_ping(service) for service in ("media", "dialer", "reporting")),
        *_written_objects(Bucket.UPLOADS),
        *_objects(Bucket.PROMPTS),
        *_objects(Bucket.LISTS),
        *_keys(IDEMPOTENCY, ">"),
        AUDIT_CHANGES,
        *_follows(AUDIT.name),
        *_follows(SIP_TRACES.name),
    ),
    subscribe=(_ping("gateway"),),
)

_MEDIA = Permissions(
    publish=(
        *_OF_EACH_SERVICE,
        *_answers(BrokerUser.GATEWAY, BrokerUser.CAMPAIGN),
        FindTasksUsingFile.subject(),
        "ev.audio-file.*",
        *_follows(EVENTS.name),
        # An upload that has become a prompt is removed.
        *_written_objects(Bucket.UPLOADS),
        *_written_objects(Bucket.PROMPTS),
    ),
    subscribe=("cmd.media.*", "qry.media.*", _ping("media")),
)

_CAMPAIGN = Permissions(
    publish=(
        *_OF_EACH_SERVICE,
        *_answers(BrokerUser.GATEWAY, BrokerUser.MEDIA),
        GetAudioFiles.subject(),
        *(f"ev.{kind}.*" for kind in ("exclusion-list", "notification-settings", "subscriber-group", "task")),
        *_follows(EVENTS.name),
        # A task forgets the commits of its old runs.
        f"{_API}.STREAM.MSG.DELETE.{EVENTS.name}",
        "run.*.life",
        "run.*.result.*",
        "run.*.fence.*",
        *_follows(RUNS.name),
        "dial.*.*.*",
        *_reads(DIAL.name),
        f"{_API}.CONSUMER.CREATE.{DIAL.name}.>",
        f"{_API}.CONSUMER.INFO.{DIAL.name}.*",
        f"{_API}.CONSUMER.DELETE.{DIAL.name}.*",
        f"{_API}.STREAM.PURGE.{DIAL.name}",
        *_info(DEAD.name),
        *_info(AUDIT.name),
        # What a SIP trace has recorded goes with it.
        *_reads(SIP_TRACES.name),
        f"{_API}.STREAM.PURGE.{SIP_TRACES.name}",
        *_keys(TRACE_ORDERS, ">"),
        *_followed_keys(TRACE_ORDERS),
        # Numbers that people exclude by a key.
        AUDIT_CHANGES,
        *_keys(RUN_DISPATCH_STATES, ">"),
        *_keys(LEASES, "run.*"),
        *_keys(PACING_RULES, ">"),
        *_followed_keys(PACING_RULES),
        *_keys(CONTACT_LIMITS, ">"),
        # A check counts the people whom limits of contacts concern.
        *_followed_keys(CONTACTS),
        *_objects(Bucket.UPLOADS),
        *_written_objects(Bucket.PROMPTS),
        *_written_objects(Bucket.LISTS),
        *_objects(Bucket.ARCHIVE),
    ),
    subscribe=("cmd.dialer.*", "qry.dialer.*", STATION_PRESENCE, _ping("dialer")),
    never=(
        *(
            f"{_API}.CONSUMER.{verb}.{RUNS.name}.{READ_MODEL_CONSUMER}"
            for verb in ("CREATE", "DELETE", "MSG.NEXT")
        ),
        f"{_API}.CONSUMER.CREATE.{RUNS.name}.{READ_MODEL_CONSUMER}.>",
    ),
)

_DIAL = Permissions(
    publish=(
        *_OF_EACH_SERVICE,
        # Dialers ask each other for their calls.
        *_answers(BrokerUser.DIAL),
        "run.*.call.*",
        "run.*.opt-out.*",
        "run.*.result.*",
        "run.*.fence.*",
        *_reads(RUNS.name),
        f"{_API}.CONSUMER.MSG.NEXT.{DIAL.name}.*",
        f"$JS.ACK.{DIAL.name}.>",
        dead_letter("dialer"),
        *_follows(EVENTS.name),
        *_followed_keys(RUN_DISPATCH_STATES),
        *_followed_keys(PACING_RULES),
        *_followed_keys(CONTACT_LIMITS),
        *_followed_keys(TRACE_ORDERS),
        "sip-trace.*.*",
        *_keys(CONTACTS, ">"),
        *_keys(
            LEASES, *(f"{kind}.>" for kind in ("channels", "dialer", "exclusions", "registration", "start"))
        ),
        *_objects(Bucket.PROMPTS),
        *_objects(Bucket.LISTS),
        *(CHANNEL_PRESENCE, JOB_PRESENCE, STATION_PRESENCE, instance_presence(">")),
    ),
    subscribe=(CHANNEL_PRESENCE, JOB_PRESENCE, instance_presence(">"), _ping("dialer-dial")),
)

_REPORTING = Permissions(
    publish=(
        *_OF_EACH_SERVICE,
        *_answers(BrokerUser.GATEWAY, BrokerUser.OPERATOR),
        *_follows(RUNS.name),
        f"{_API}.CONSUMER.DURABLE.CREATE.{RUNS.name}.{READ_MODEL_CONSUMER}",
        f"$JS.ACK.{RUNS.name}.{READ_MODEL_CONSUMER}.>",
        # A run that is in the archive leaves the log, with the mark of its dispatch state.
        f"{_API}.STREAM.PURGE.{RUNS.name}",
        f"{_API}.STREAM.PURGE.KV_{RUN_DISPATCH_STATES.name}",
        dead_letter("reporting"),
        *_objects(Bucket.LISTS),
        *_written_objects(Bucket.ARCHIVE),
        # The names of objects are read by a consumer, for which the client looks up the stream.
        *_follows(f"OBJ_{Bucket.ARCHIVE}"),
        f"{_API}.STREAM.NAMES",
    ),
    subscribe=("cmd.reporting.*", "qry.reporting.*", _ping("reporting")),
)

_OPERATOR = Permissions(
    publish=(
        # Dead letters.
        *_reads(DEAD.name),
        f"{_API}.STREAM.MSG.DELETE.{DEAD.name}",
        "dial.*.*.*",
        # SQL.
        "qry.reporting.*",
        # The program of NATS: what there is, replicas, backup and restore.
        f"{_API}.INFO",
        f"{_API}.STREAM.NAMES",
        f"{_API}.STREAM.LIST",
        f"{_API}.STREAM.INFO.*",
        f"{_API}.STREAM.UPDATE.*",
        f"{_API}.STREAM.SNAPSHOT.*",
        f"{_API}.STREAM.RESTORE.*",
        f"{_API}.CONSUMER.NAMES.*",
        f"{_API}.CONSUMER.LIST.*",
        f"{_API}.CONSUMER.INFO.*.*",
        "$JS.SNAPSHOT.>",
    ),
)

PERMISSIONS: dict[BrokerUser, Permissions] = {
    BrokerUser.GATEWAY: _GATEWAY,
    BrokerUser.MEDIA: _MEDIA,
    BrokerUser.CAMPAIGN: _CAMPAIGN,
    BrokerUser.DIAL: _DIAL,
    BrokerUser.REPORTING: _REPORTING,
    BrokerUser.OPERATOR: _OPERATOR,
}
