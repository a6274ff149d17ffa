"""Look up the DNS records of SIP services (RFC 3263): NAPTR and SRV by dnspython, addresses by the system.

The addresses come from the system, so that names of `/etc/hosts` and of container networks are found, too.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver

_SERVICES_S = 2.0
"Most stations have no SRV record, and some name servers do not answer a query for one."
_ADDRESSES_S = 5.0
_BY_TRANSPORT = {
    "udp": ("SIP+D2U", "_sip._udp"),
    "tcp": ("SIP+D2T", "_sip._tcp"),
    "tls": ("SIPS+D2T", "_sips._tcp"),
}


class Lookups(Protocol):
    """The look-ups that a `Resolver` needs."""

    async def services(self, name: str, transport: str) -> list[tuple[str, int]]:
        """Return the hosts and ports of SRV records, the preferred first; [] without such records."""
        ...

    async def addresses(self, host: str) -> list[str]:
        """Raises: OSError, TimeoutError among them."""
        ...


class DnsRecords:
    """`Lookups` by the name servers of the system, or by `resolver`."""

    def __init__(self, resolver: "DnsResolver | None" = None) -> None:
        self._resolver = resolver

    async def services(self, name: str, transport: str) -> list[tuple[str, int]]:
        if "." not in name.rstrip("."):
            return []  # a host of this machine or of its container network
        service, prefix = _BY_TRANSPORT[transport]
        named, usual = await asyncio.gather(
            self._pointers(name, service), self._records(f"{prefix}.{name}", "SRV")
        )
        records = await self._records(named[0], "SRV") if named else usual
        return [(str(one.target).rstrip("."), one.port) for one in records if str(one.target) != "."]

    async def addresses(self, host: str) -> list[str]:
        async with asyncio.timeout(_ADDRESSES_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def _pointers(self, name: str, service: str) -> list[str]:
        """Return the names of SRV records that NAPTR records give for a service, the preferred first."""
        records = await self._records(name, "NAPTR")
        found = [
            (one.order, one.preference, str(one.replacement))
            for one in records
            if one.flags.lower() == b"s" and one.service.decode("ascii", "replace").upper() == service
        ]
        return [replacement for _, _, replacement in sorted(found)]

    async def _records(self, name: str, kind: str) -> list[Any]:
        """Return the records in the order in which they are to be used (RFC 2782), [] without any."""
        # Imported at the first use: it takes 0.1 s, and most stations are configured by address.
        import dns.asyncresolver  # noqa: PLC0415
        import dns.exception  # noqa: PLC0415

        try:
            resolver = self._resolver or dns.asyncresolver.Resolver()
            answer = await resolver.resolve(name, kind, lifetime=_SERVICES_S, search=False)
        except (dns.exception.DNSException, OSError):
            return []  # no such record, or no name server: the address of the name itself is used
        return list(answer.rrset.processing_order()) if answer.rrset is not None else []
