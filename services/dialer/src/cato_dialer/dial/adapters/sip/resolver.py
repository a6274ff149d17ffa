"""Find the address of a station that is configured by name (RFC 3263)."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog

from cato_dialer.dial.adapters.sip.dns_records import DnsRecords, Lookups
from cato_dialer.dial.adapters.sip.options import answers_options
from cato_dialer.dial.domain.station import Station

log = structlog.get_logger()

_VALID_S = 60.0
_PROBE_S = 1.0
"How long a call waits for a preferred address that may be dead."
_MOST_TARGETS = 8


class Target(NamedTuple):
    """Where a station is reached: an IP address and a port."""

    host: str
    port: int


@dataclass(slots=True)
class _Known:
    target: Target | None = None
    others: tuple[Target, ...] = ()
    valid_until: float = 0.0
    suspected: bool = False
    renewal: "asyncio.Task[Target] | None" = None


class Resolver:
    """Resolves the names of stations, and remembers each result for a minute.

    If a name has several addresses, each is asked by OPTIONS, and the first one that answers is used, in the
    order of the records: an INVITE to a dead address would take 32 s to fail. If none answers, the first is
    used. While the name service fails, the last result is used.
    """

    def __init__(
        self, bind_address: str, *, lookups: Lookups | None = None, probe_s: float = _PROBE_S
    ) -> None:
        self._bind_address = bind_address
        self._lookups = lookups or DnsRecords()
        self._probe_s = probe_s
        self._known: dict[str, _Known] = {}

    async def resolve(self, station: Station) -> Target:
        """Raises: OSError, TimeoutError among them."""
        if not station.host_is_name:
            return Target(station.host, station.port)
        known = self._known.setdefault(station.uri, _Known())
        if known.target is not None and time.monotonic() < known.valid_until:
            return known.target
        if known.renewal is None:
            known.renewal = asyncio.create_task(self._renew(station, known))
            known.renewal.add_done_callback(_retrieve)
        if known.target is not None and not known.suspected:
            return known.target  # renewed for later calls, so that none waits
        # Shielded: a caller that gives up must not fail the others that wait for the same station.
        return await asyncio.shield(known.renewal)

    def others(self, station: Station) -> tuple[Target, ...]:
        """Return the other addresses of a station, for a call that the resolved one has refused."""
        known = self._known.get(station.uri)
        return known.others if known is not None else ()

    def suspect(self, station: Station) -> None:
        """Look again before the next call: the station has not answered."""
        known = self._known.get(station.uri)
        if known is not None and known.renewal is None:
            known.suspected, known.valid_until = True, 0.0

    async def close(self) -> None:
        renewals = [known.renewal for known in self._known.values() if known.renewal is not None]
        for renewal in renewals:
            renewal.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)

    async def _renew(self, station: Station, known: _Known) -> Target:
        try:
            target, *others = await self._find(station)
            known.others = tuple(others)
        except OSError as error:
            if known.target is None:
                raise
            log.warning(
                "station cannot be resolved; its last address is used", host=station.host, error=str(error)
            )
            target = known.target
        finally:
            known.renewal = None
        known.target, known.valid_until, known.suspected = target, time.monotonic() + _VALID_S, False
        return target

    async def _find(self, station: Station) -> list[Target]:
        """Return the address to use, and then the others. Raises: OSError."""
        targets = await self._targets(station)
        if len(targets) == 1:
            return targets
        probes = [asyncio.create_task(self._answers(station, target)) for target in targets]
        try:
            for target, probe in zip(targets, probes, strict=True):
                if await probe:
                    return [target, *(other for other in targets if other != target)]
        finally:
            for probe in probes:
                probe.cancel()
            await asyncio.gather(*probes, return_exceptions=True)
        return targets

    async def _targets(self, station: Station) -> list[Target]:
        """Return the addresses of a station in the order of preference. Raises: OSError."""
        places = [(station.host, station.port)]
        if not station.has_port:
            places = await self._lookups.services(station.host, station.transport) or places
        targets: list[Target] = []
        failure: OSError | None = None
        for host, port in places:
            try:
                targets += [Target(address, port) for address in await self._lookups.addresses(host)]
            except OSError as error:
                failure = error
        if not targets:
            raise failure or OSError("it has no address")
        return list(dict.fromkeys(targets))[:_MOST_TARGETS]

    async def _answers(self, station: Station, target: Target) -> bool:
        at_target = replace(station, host=target.host, port=target.port)
        return await answers_options(at_target, self._probe_s, bind_address=self._bind_address)


def _retrieve(renewal: "asyncio.Task[Target]") -> None:
    """Take the exception of a renewal that no call waits for any more."""
    if not renewal.cancelled():
        renewal.exception()
