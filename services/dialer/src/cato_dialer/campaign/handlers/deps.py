"""Everything that the handlers of the campaign role need."""

from dataclasses import dataclass, field

from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.forecast import ListCounts
from cato_dialer.campaign.domain.lists.list_numbers import ListNumbers
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_dialer.campaign.handlers.pace import LeasePace, Pace
from cato_dialer.campaign.handlers.resources import Resources, run_repository
from cato_dialer.campaign.handlers.starts.kept_findings import KeptFindings
from cato_dialer.campaign.handlers.uploaded_lists import UploadedLists
from cato_dialer.campaign.ports import (
    AudioLibrary,
    AuditLog,
    Calendars,
    ContactLimitStore,
    DialQueue,
    Leases,
    ListReader,
    MemoryContactLimits,
    MemoryPacingRules,
    NoAuditLog,
    NoCalendars,
    NoSightings,
    PacingRules,
    RunCalls,
    RunStates,
    StationSightings,
)
from cato_dialer.campaign.trace_ports import MemorySipTraces, SipTraces
from cato_dialer.exclusions.board import ReadingBoard
from cato_dialer.exclusions.reader import ExclusionReader
from cato_jetstream import Log, Repository
from cato_runtime.clock import Clock
from cato_runtime.configuration.config import Config
from cato_runtime.objects import ObjectStore


@dataclass(slots=True, kw_only=True)
class Deps:
    """The ports and the aggregates. `events` and `run_log` are the logs of the streams EVENTS and RUNS."""

    events: Log
    run_log: Log
    objects: ObjectStore
    list_reader: ListReader
    audio: AudioLibrary
    queue: DialQueue
    run_states: RunStates
    calls: RunCalls
    leases: Leases
    excluded: ExclusionReader
    readings: ReadingBoard
    config: Config
    clock: Clock
    stations: StationSightings = field(default_factory=NoSightings)
    pacing: PacingRules = field(default_factory=MemoryPacingRules)
    traces: SipTraces = field(default_factory=MemorySipTraces)
    contact_limits: ContactLimitStore = field(default_factory=MemoryContactLimits)
    calendars: Calendars = field(default_factory=NoCalendars)
    audit: AuditLog = field(default_factory=NoAuditLog)
    pace: Pace = field(default_factory=Pace)
    lease_pace: LeasePace = field(default_factory=LeasePace)
    list_counts: KeptFindings[ListCounts] = field(default_factory=lambda: KeptFindings(64))
    list_numbers: KeptFindings[ListNumbers] = field(default_factory=lambda: KeptFindings(8))

    groups: Resources[SubscriberGroup] = field(init=False)
    settings: Resources[NotificationSettings] = field(init=False)
    tasks: Resources[Task] = field(init=False)
    exclusion_lists: Resources[ExclusionList] = field(init=False)
    runs: Repository[Run] = field(init=False)
    view: CatalogView = field(init=False)
    lists: UploadedLists = field(init=False)

    def __post_init__(self) -> None:
        self.groups = Resources(self.events, SubscriberGroup, self.clock)
        self.settings = Resources(self.events, NotificationSettings, self.clock)
        self.tasks = Resources(self.events, Task, self.clock)
        self.exclusion_lists = Resources(self.events, ExclusionList, self.clock)
        self.runs = run_repository(self.run_log, self.clock)
        self.lists = UploadedLists(self.objects, self.list_reader, self.config.limits.group_size)
        self.view = CatalogView(self.events, self.groups, self.settings, self.tasks, self.exclusion_lists)
