"""The dependencies of the service."""

from dataclasses import dataclass, field

from cato_contracts.numbering import Numbering
from cato_reporting.ports import AnalystDatabase, CallHistory, DeadLetters, ReadModel, RunLog
from cato_reporting.projections.archive.archiver import LogRetention
from cato_reporting.subscriber_pages import SubscriberPages
from cato_runtime.clock import Clock
from cato_runtime.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Deps:
    """The ports of the service; `time_zone` is the one of statistics that name none."""

    run_log: RunLog
    dead_letters: DeadLetters
    read_model: ReadModel
    history: CallHistory
    people: SubscriberPages
    analysts: AnalystDatabase
    objects: ObjectStore
    clock: Clock
    time_zone: str
    numbering: Numbering
    log_retention: LogRetention = field(default_factory=LogRetention)
