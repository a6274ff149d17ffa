"""The life of a dialer process: the roles, in the order in which they start and stop."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges
from cato_dialer.campaign.role import CampaignRole
from cato_dialer.config_change import check_change
from cato_dialer.dial.adapters.call_metrics import CallMetrics
from cato_dialer.dial.adapters.configured_stations import stations_of
from cato_dialer.dial.adapters.nats.sip_traces import NatsSipTraces
from cato_dialer.dial.adapters.nats.station_presence import NatsStationPresence
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.role import DialRole
from cato_runtime.configuration.config import Config
from cato_runtime.requests import RequestTable

_HANG_UP_MARGIN_S = 12.0
"""The part of the drain time that is kept for hanging up the remaining calls and for their last events."""


@dataclass(frozen=True, slots=True)
class CampaignParts:
    """The campaign role, and its metrics."""

    role: CampaignRole
    gauges: CampaignGauges


@dataclass(frozen=True, slots=True)
class DialParts:
    """The dial role, the registrations of its stations, what it announces about them, metrics, SIP traces."""

    role: DialRole
    registrar: StationRegistrar
    presence: NatsStationPresence
    metrics: CallMetrics
    traces: NatsSipTraces


class DialerService:
    """The roles of one process. The dial role starts last and stops first."""

    def __init__(
        self, config: Config, drain_seconds: float, campaign: CampaignParts | None, dial: DialParts | None
    ) -> None:
        self._config = config
        self._calls_may_last_s = max(0.0, drain_seconds - _HANG_UP_MARGIN_S)
        self._campaign = campaign
        self._dial = dial
        self._running = AsyncExitStack()

    @property
    def requests(self) -> RequestTable:
        return self._campaign.role.requests if self._campaign else RequestTable()

    async def start(self) -> None:
        if self._campaign is not None:
            await self._start(self._campaign.role)
            self._show(self._campaign.gauges)
            await self._start(self._campaign.gauges)
        if self._dial is not None:
            self._show(self._dial.metrics.registry)
            await self._start(self._dial.traces)
            await self._start(self._dial.registrar)
            await self._start(self._dial.role)
            await self._start(self._dial.presence)

    def _show(self, metrics: Collector) -> None:
        REGISTRY.register(metrics)
        self._running.callback(REGISTRY.unregister, metrics)

    async def _start(self, part: "_Part") -> None:
        # Registered before its start: a start that fails halfway must be undone as well.
        self._running.push_async_callback(part.stop)
        await part.start()

    def detail(self) -> dict[str, Any]:
        """Name the stations that are down: as this process sees them if it makes calls, else as all do.

        The campaign role adds how many calls at once the dialers can be used for, for what scales them.
        """
        part = self._dial or self._campaign
        shown: dict[str, Any] = {"stationsDown": part.role.stations_down() if part is not None else []}
        if self._campaign is not None and (wanted := self._campaign.gauges.calls_wanted()) is not None:
            shown["callsWanted"] = wanted
        return shown

    async def reload(self, config: Config) -> None:
        """Use the new configuration for new calls.

        Raises:
            ConfigurationError: if a change cannot be applied without a restart.

        """
        check_change(self._config, config)
        self._config = config
        if self._dial is not None:
            await self._dial.role.change_stations(stations_of(config.stations))

    async def drain(self) -> None:
        if self._dial is not None:
            await self._dial.role.drain(self._calls_may_last_s)

    def hurry(self) -> None:
        """Hang up the calls that are up; the drain ends with them."""
        if self._dial is not None:
            self._dial.role.hang_up()

    async def stop(self) -> None:
        await self._running.aclose()


class _Part(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
