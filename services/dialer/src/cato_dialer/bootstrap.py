"""Where the dialer is put together: one role, the other, or both in one process."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from enum import StrEnum

from prometheus_client import REGISTRY

from cato_contracts.subjects import EVENTS, LEASES, RUNS
from cato_dialer.campaign.adapters.media_audio_library import MediaAudioLibrary
from cato_dialer.campaign.adapters.nats_dial_queue import NatsDialQueue
from cato_dialer.campaign.adapters.nats_leases import NatsLeases
from cato_dialer.campaign.adapters.nats_run_calls import NatsRunCalls
from cato_dialer.campaign.adapters.nats_run_tickets import NatsRunTickets
from cato_dialer.campaign.role import CampaignPorts, CampaignRole
from cato_dialer.config_change import check_change, check_station
from cato_dialer.dial.adapters.call_metrics import CallMetrics
from cato_dialer.dial.adapters.dial_gauges import DialGauges
from cato_dialer.dial.adapters.disk_prompt_cache import DiskPromptCache
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.adapters.nats.channel_ledger import NatsChannelLedger
from cato_dialer.dial.adapters.nats.job_source import NatsJobSource
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_dialer.dial.handlers.deps import DialDesk
from cato_dialer.dial.handlers.dispatch_jobs import DialRole
from cato_jetstream import Bucket, JetStreamLog
from cato_runtime.config import Config
from cato_runtime.requests import RequestTable
from cato_runtime.service import Build, Surroundings

_HANG_UP_MARGIN_S = 12.0
"""Of the time for draining: for hanging up what is left, and for the last events."""


class Role(StrEnum):
    """What a dialer process does: drive runs, make calls."""

    CAMPAIGN = "campaign"
    DIAL = "dial"


class DialerService:
    """The roles of one process. Calls are the first to begin last and to end first."""

    def __init__(
        self,
        campaign: CampaignRole | None,
        dial: DialRole | None,
        registrar: StationRegistrar | None,
        metrics: CallMetrics | None,
        surroundings: Surroundings,
    ) -> None:
        self._config = surroundings.config
        self._campaign = campaign
        self._dial = dial
        self._registrar = registrar
        self._metrics = metrics
        self._calls_may_last_s = max(0.0, surroundings.settings.drain_seconds - _HANG_UP_MARGIN_S)
        self._running = AsyncExitStack()

    @property
    def requests(self) -> RequestTable:
        return self._campaign.requests if self._campaign else RequestTable()

    async def start(self) -> None:
        if self._metrics is not None:
            registry = self._metrics.registry
            REGISTRY.register(registry)
            self._running.callback(REGISTRY.unregister, registry)
        for role in (self._campaign, self._registrar, self._dial):
            if role is not None:
                # Before its start: what a start that failed has begun must be ended, too.
                self._running.push_async_callback(role.stop)
                await role.start()

    async def reload(self, config: Config) -> None:
        """Raises: ConfigurationError: if it asks for more than new calls can take over."""
        check_change(self._config, config)
        self._config = config
        if self._dial is not None:
            await self._dial.change_stations(config.stations)

    async def drain(self) -> None:
        if self._dial is not None:
            await self._dial.drain(self._calls_may_last_s)

    async def stop(self) -> None:
        await self._running.aclose()


def build_roles(roles: Collection[Role]) -> Build:
    """Return the function that puts a dialer with these roles together."""

    async def build(surroundings: Surroundings) -> DialerService:
        metrics = CallMetrics(surroundings.config.stations) if Role.DIAL in roles else None
        registrar = await _registrar(surroundings) if metrics else None
        return DialerService(
            await _campaign(surroundings) if Role.CAMPAIGN in roles else None,
            await _dial(surroundings, metrics, registrar) if metrics and registrar else None,
            registrar,
            metrics,
            surroundings,
        )

    return build


async def _campaign(surroundings: Surroundings) -> CampaignRole:
    client = await surroundings.broker.connect()
    js, clock = surroundings.js, surroundings.clock
    ports = CampaignPorts(
        events=JetStreamLog(client, EVENTS.name),
        runs=JetStreamLog(client, RUNS.name),
        objects=surroundings.objects,
        audio=MediaAudioLibrary(surroundings.requester),
        queue=NatsDialQueue(client, js, clock),
        tickets=NatsRunTickets(js),
        calls=NatsRunCalls(client, js, clock),
        leases=NatsLeases(js),
    )
    return CampaignRole(ports, surroundings.config, clock)


async def _registrar(surroundings: Surroundings) -> StationRegistrar:
    client = await surroundings.broker.connect()
    config = surroundings.config
    return StationRegistrar(config.dialing, config.stations, Bucket(client.jetstream(), LEASES.name))


async def _dial(surroundings: Surroundings, metrics: CallMetrics, registrar: StationRegistrar) -> DialRole:
    client = await surroundings.broker.connect()
    config, clock = surroundings.config, surroundings.clock
    source = NatsJobSource(client)
    for station in config.stations:
        check_station(station)  # what cannot be read stops the start, not each call
    trunk = Pjsua2Trunk(config.dialing, config.channels)
    ledger = NatsChannelLedger(client, config.stations, config.license.max_channels, clock)
    watch = StationKeepalive(config.dialing.bind_address, came_up=registrar.renew)
    desk = DialDesk(
        stations=config.stations,
        trunk=trunk,
        journal=NatsCallJournal(client),
        ledger=ledger,
        prompts=DiskPromptCache(surroundings.objects, surroundings.settings.data_dir / "prompts"),
        clock=clock,
        tickets=source.tickets,
        watch=watch,
        observer=metrics,
    )
    role = DialRole(desk, source)
    metrics.gauges(DialGauges(config.stations, role, ledger, trunk, watch).read)
    return role
