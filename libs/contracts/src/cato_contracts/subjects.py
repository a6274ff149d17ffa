"""The names of all subjects, streams and buckets of the broker."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from cato_contracts.model import Frozen
from cato_contracts.objects import Bucket


class Retention(StrEnum):
    LIMITS = "limits"
    WORK_QUEUE = "workqueue"


class StreamSpec(Frozen):
    """A JetStream stream. With `max_per_subject` (0 is no limit) a further message is rejected.

    No client can delete or purge messages of one that is `append_only`.
    """

    name: str
    subjects: tuple[str, ...]
    retention: Retention = Retention.LIMITS
    max_per_subject: int = 0
    max_age: timedelta | None = None
    duplicate_window: timedelta = timedelta(minutes=2)
    append_only: bool = False


class BucketSpec(Frozen):
    """A key-value bucket; with `key_ttl`, keys can expire one by one."""

    name: str
    key_ttl: bool = False


EVENTS = StreamSpec(name="EVENTS", subjects=("ev.>",))
"""The commits of the aggregates: `ev.<type>.<id>`."""

RUNS = StreamSpec(name="RUNS", subjects=("run.>",))
"""All events of runs, in one order."""

READ_MODEL_CONSUMER = "reporting"
"""The durable consumer of RUNS that fills the read model."""

DIAL = StreamSpec(name="DIAL", subjects=("dial.>",), retention=Retention.WORK_QUEUE, max_per_subject=1)
"""The jobs that wait for a dial replica."""

DEAD = StreamSpec(name="DEAD", subjects=("dead.>",), max_age=timedelta(days=30))
"""Dead letters: messages that a service could not process, with the reason."""

AUDIT_CHANGES = "audit.changes"
"""The subject of the changes that users have made."""

AUDIT = StreamSpec(name="AUDIT", subjects=("audit.>",), append_only=True)
"""The audit log. It is kept for ever."""

SIP_TRACES = StreamSpec(name="SIP_TRACES", subjects=("sip-trace.>",), max_age=timedelta(days=3))
"""What SIP traces have recorded: `sip-trace.<trace>.<dialer>`."""

STREAMS = (EVENTS, RUNS, DIAL, DEAD, AUDIT, SIP_TRACES)

RUN_DISPATCH_STATES = BucketSpec(name="runs")
LEASES = BucketSpec(name="leases", key_ttl=True)
IDEMPOTENCY = BucketSpec(name="idempotency", key_ttl=True)
"""The answers given to each Idempotency-Key, kept for a day."""

PACING_RULES = BucketSpec(name="pacing")
"""The pacing rules, by an id that is derived from the name."""

CONTACTS = BucketSpec(name="contacts", key_ttl=True)
"""The call that is up to a number, and its last calls, by the number (`contact_key`)."""

CONTACT_LIMITS = BucketSpec(name="contact_limits")
"""The limits of contacts, by an id that is derived from their user."""

TRACE_ORDERS = BucketSpec(name="sip_traces", key_ttl=True)
"""The SIP traces, by an id that is derived from the name; they expire with what they have recorded."""

KEY_VALUE_BUCKETS = (
    RUN_DISPATCH_STATES,
    LEASES,
    IDEMPOTENCY,
    PACING_RULES,
    CONTACTS,
    CONTACT_LIMITS,
    TRACE_ORDERS,
)

OBJECT_BUCKETS: dict[Bucket, timedelta | None] = {
    Bucket.UPLOADS: timedelta(days=1),
    Bucket.PROMPTS: None,
    Bucket.LISTS: None,
    Bucket.ARCHIVE: None,
}
"""The object buckets and how long each keeps its objects (None: for ever)."""


CHANNEL_PRESENCE = "presence.channels"
"""Dial replicas announce here that they are alive and whether they need channels."""

JOB_PRESENCE = "presence.jobs"
"""A dial replica asks here whether another one has a call in progress for a job."""

STATION_PRESENCE = "presence.stations"
"""Dial replicas announce here how they see the stations."""


_KEY_CHARACTERS = str.maketrans("+*#", "psh")
_NUMBER_CHARACTERS = str.maketrans("psh", "+*#")
"""A key is a token of a subject, which has no `*`."""


def contact_key(number: str) -> str:
    """The key of a number in `contacts`; the number has the form by which numbers are compared."""
    return number.translate(_KEY_CHARACTERS)


def contact_number(key: str) -> str:
    """The number of a key in `contacts`."""
    return key.translate(_NUMBER_CHARACTERS)


def instance_presence(instance: str) -> str:
    """Where the dialer of this name answers, so that no second one is started under its name."""
    return f"presence.instances.{instance}"


def run_life(run_id: UUID) -> str:
    return f"run.{run_id}.life"


def run_result(run_id: UUID, no: int | str) -> str:
    return f"run.{run_id}.result.{no}"


def run_call(run_id: UUID, no: int | str) -> str:
    return f"run.{run_id}.call.{no}"


def run_opt_out(run_id: UUID, no: int | str) -> str:
    """Where the event of a call is in which the person asked not to be called again.

    It is one of the events of `run_call`, in their chain. Whoever drives the run follows these alone.
    """
    return f"run.{run_id}.opt-out.{no}"


def run_fence(run_id: UUID, no: int | str) -> str:
    """Where an empty message rejects the start of a call that another replica may have on its way.

    Every message about a subscriber is conditional on the last one of `run_subscriber`. In a stopped run a
    subscriber may be left without a result, which rejects such a start otherwise.
    """
    return f"run.{run_id}.fence.{no}"


def run_subscriber(run_id: UUID, no: int) -> str:
    """The calls, opt-outs, results and fences of a subscriber."""
    return f"run.{run_id}.*.{no}"


def archived_life(run_id: UUID) -> str:
    """The object with the last commit of the life of a run that has left the log."""
    return f"life/{run_id}"


def dial_job(run_id: UUID, wave: int | str, no: int | str) -> str:
    return f"dial.{run_id}.{wave}.{no}"


def dial_consumer(run_id: UUID) -> str:
    """The name of the durable consumer that dial replicas share for a run."""
    return f"run-{run_id}"


def sip_trace(trace_id: UUID, dialer: str = "*") -> str:
    """Where a dialer stores what it has recorded for a trace; `dialer` is a token without dots."""
    return f"sip-trace.{trace_id}.{dialer}"


def dead_letter(service: str) -> str:
    return f"dead.{service}"
