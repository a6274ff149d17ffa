"""What the addresses of stations and callers may look like."""

import ipaddress
import re

STATION_URI = re.compile(r"sips?:(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:;?@\[\]]+)(:(?P<port>\d{1,5}))?(;[!-~]+)?")

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?!.*\.\.)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_PORTS = range(1, 65_536)
_USER = re.compile(r"(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2})+")
_SCHEME = re.compile(r"(sips?|tel):", re.IGNORECASE)
_LONGEST_CALLER = 100


def check_station_uri(uri: str) -> str:
    """Raise ValueError unless this is the address of a station, without a user."""
    found = STATION_URI.fullmatch(uri)
    if found is None:
        msg = f"{uri!r} is not a station's URI, such as sip:host:5060;transport=udp"
        raise ValueError(msg)
    _check_host(found["host"])
    if found["port"] is not None and int(found["port"]) not in _PORTS:
        msg = f"port {found['port']} is not between 1 and 65535"
        raise ValueError(msg)
    return uri


def check_caller_id(caller: str) -> str:
    """Raise ValueError unless this is a number, a name, or `user@host`."""
    if not caller or len(caller) > _LONGEST_CALLER:
        msg = f"a caller id has 1 to {_LONGEST_CALLER} characters"
        raise ValueError(msg)
    if not caller.isprintable() or any(character in '<>"' for character in caller):
        msg = f"{caller!r} is not a number, a name or user@host: it must not contain < > or quotation marks"
        raise ValueError(msg)
    if _SCHEME.match(caller):
        msg = f"{caller!r} must be the number or user@host alone, without {caller.partition(':')[0]}:"
        raise ValueError(msg)
    user, at, host = caller.partition("@")
    if at:
        _check_caller_host(caller, user, host)
    return caller


def check_ip_address(address: str) -> str:
    """Raise ValueError unless this is an IP address."""
    ipaddress.ip_address(address)
    return address


def check_host(host: str) -> str:
    """Raise ValueError unless this is a host name or an IP address, IPv6 without brackets."""
    if ip_version(host) is None:
        _check_host(host)
    return host


def ip_version(host: str) -> int | None:
    """Return 4 or 6; None if the host is a name."""
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


def _check_caller_host(caller: str, user: str, host: str) -> None:
    if "@" in host:
        msg = f"{caller!r} has more than one @; a number or user@host is expected"
        raise ValueError(msg)
    if not _USER.fullmatch(user):
        msg = f"{user!r} cannot stand before @: write other characters as % and two hexadecimal digits"
        raise ValueError(msg)
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if colon and not (port.isascii() and port.isdigit() and int(port) in _PORTS):
        msg = f"{host!r} has no valid port"
        raise ValueError(msg)
    _check_host(name if colon else host)


def _check_host(host: str) -> None:
    if host.startswith("["):
        if not host.endswith("]") or ip_version(host[1:-1]) != 6:  # noqa: PLR2004
            msg = f"{host} is not an IPv6 address in brackets"
            raise ValueError(msg)
    elif re.fullmatch(r"[0-9.]+", host):
        if ip_version(host) is None:
            msg = f"{host} is not an IPv4 address"
            raise ValueError(msg)
    elif not _HOST_NAME.fullmatch(host):
        msg = f"{host!r} is not a host name or an IP address (IPv6 addresses stand in brackets)"
        raise ValueError(msg)
