"""The addresses to which PJSIP sends the requests of a call: `Contact` and `Record-Route` of the far end."""

import re

_FOLD = re.compile(r"\r?\n[ \t]+")
_TARGETS = re.compile(r"^(contact|m|record-route)[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ADDRESS = re.compile(r'<([^<>]*)>|(?:^|,)[ \t]*([^\s<>",;]+)')
_URI = re.compile(
    r"(?P<scheme>sips?):(?:[^@<>\s]*@)?(?P<host>[A-Za-z0-9_.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<parameters>(?:;[^?]*)?)(?:\?.*)?",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r";[ \t]*(transport|maddr)[ \t]*=[ \t]*([^;\s]*)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9_.-]+")
_PORTS = range(1, 65_536)


def unreachable_target(head: str, transports: frozenset[str]) -> str | None:
    """Return an address in the head of a message that no request can be sent to with these transports.

    `transports` are of `udp`, `tcp` and `tls`. PJSIP aborts the process if it cannot send the ACK of a 2xx.
    """
    contacted = False
    for name, value in _TARGETS.findall(_FOLD.sub(" ", head)):
        is_contact = name.lower() != "record-route"
        if is_contact and contacted:
            continue  # the library takes the first one
        contacted = contacted or is_contact
        for inside, bare in _ADDRESS.findall(_QUOTED.sub("", value)):
            uri: str = (inside or bare).strip()
            if not _is_reachable(uri, transports):
                return uri
            if is_contact:
                break
    return None


def _is_reachable(uri: str, transports: frozenset[str]) -> bool:
    found = _URI.fullmatch(uri)
    if found is None or (found["port"] is not None and int(found["port"]) not in _PORTS):
        return False
    if found["scheme"].lower() == "sips" and "tls" not in transports:
        return False
    for name, value in _PARAMETER.findall(found["parameters"]):
        if name.lower() == "transport" and value.lower() not in transports:
            return False
        if name.lower() == "maddr" and not _HOST.fullmatch(value):
            return False
    return True
