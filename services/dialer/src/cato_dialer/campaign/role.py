"""The campaign role in one piece: the catalog's requests, and the coordinator of the runs."""

from dataclasses import dataclass

from cato_dialer.campaign.handlers.catalog import Repositories
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_dialer.campaign.handlers.coordinate_run import CampaignSurroundings, Pace
from cato_dialer.campaign.handlers.coordinate_runs import Coordinator, LeasePace
from cato_dialer.campaign.handlers.run_control import RunControlHandlers
from cato_dialer.campaign.handlers.settings import SettingsHandlers
from cato_dialer.campaign.handlers.start_task import StartTaskHandler
from cato_dialer.campaign.handlers.subscriber_groups import SubscriberGroupHandlers
from cato_dialer.campaign.handlers.tasks import TaskHandlers
from cato_dialer.campaign.ports import AudioLibrary, DialQueue, Leases, RunCalls, RunTickets
from cato_jetstream import Log
from cato_runtime.clock import Clock
from cato_runtime.config import Config
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestTable


@dataclass(frozen=True, slots=True)
class CampaignPorts:
    """Everything outside that the role works with; `events` and `runs` are the logs of these streams."""

    events: Log
    runs: Log
    objects: ObjectStore
    audio: AudioLibrary
    queue: DialQueue
    tickets: RunTickets
    calls: RunCalls
    leases: Leases


class CampaignRole:
    """Answers `requests` from `start` on, and drives the runs that no other replica drives."""

    def __init__(
        self,
        ports: CampaignPorts,
        config: Config,
        clock: Clock,
        *,
        pace: Pace | None = None,
        lease_pace: LeasePace | None = None,
    ) -> None:
        repositories = Repositories.on(ports.events, ports.runs, clock)
        self.view = CatalogView(ports.events, repositories)
        self.coordinator = Coordinator(
            self.view,
            ports.leases,
            CampaignSurroundings(
                repositories=repositories,
                log=ports.runs,
                objects=ports.objects,
                queue=ports.queue,
                tickets=ports.tickets,
                calls=ports.calls,
                clock=clock,
                pace=pace or Pace(),
            ),
            lease_pace,
        )
        self.requests = RequestTable(clock)
        SubscriberGroupHandlers(repositories, self.view, ports.objects, config.limits.group_size).register(
            self.requests
        )
        SettingsHandlers(repositories, self.view).register(self.requests)
        TaskHandlers(repositories, self.view, ports.audio).register(self.requests)
        StartTaskHandler(repositories, ports.audio, ports.objects, config).register(self.requests)
        RunControlHandlers(repositories, self.view).register(self.requests)

    async def start(self) -> None:
        """Read the catalog's log, then begin to drive runs.

        Raises:
            BrokerError: if the log cannot be read.

        """
        await self.view.start()
        await self.coordinator.start()

    async def stop(self) -> None:
        """Let go of the runs, so that another replica goes on with them at once."""
        await self.coordinator.stop()
        await self.view.stop()
