"""SIP addresses of a call, from what a station's configuration says."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

from cato_runtime.station_config import StationConfig

_STATION = re.compile(
    r"(?P<scheme>sips?):(?P<host>\[[^\]]+\]|[^:;]+)(?P<port>:\d+)?(?P<parameters>(;[^;]+)*)"
)
_TRANSPORT = re.compile(r";transport=(\w+)", re.IGNORECASE)
_USER_UNRESERVED = "-_.!~*'()&=+$,;?/"
"Of RFC 3261, 25.1, `user`: what needs no escape beside letters and digits."


@dataclass(frozen=True, slots=True)
class Address:
    """`host` and `port` are where the requests go; `target` and `identity` are URIs."""

    target: str
    identity: str
    transport: str
    host: str
    port: int

    @property
    def host_is_name(self) -> bool:
        try:
            ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return True
        return False

    def route(self, resolved: str) -> str:
        """Return a route to the resolved address that stays out of the request itself."""
        host = f"[{resolved}]" if ":" in resolved else resolved
        return f"sip:{host}:{self.port};transport={self.transport};lr;hide"


def address(station: StationConfig, number: str) -> Address:
    match = _STATION.fullmatch(station.uri)
    if match is None:
        raise ValueError(f"{station.uri!r} is not a station's URI")
    scheme, host, port, parameters = match["scheme"], match["host"], match["port"] or "", match["parameters"]
    named = _TRANSPORT.search(parameters)
    transport = named[1].lower() if named else ("tls" if scheme == "sips" else "udp")
    caller = station.caller_id if "@" in station.caller_id else f"{_user(station.caller_id)}@{host}"
    return Address(
        target=f"{scheme}:{_user(number)}@{host}{port}{parameters}",
        identity=f"sip:{caller}",
        transport=transport,
        host=host,
        port=int(port[1:]) if port else (5061 if transport == "tls" else 5060),
    )


def _user(part: str) -> str:
    return quote(part, safe=_USER_UNRESERVED)
