"""Messages between the trunk and the media process: one JSON array per line, the kind first.

Named tuples of the standard library, so that the media process imports no other dialer code.
"""

import json
from typing import Any, NamedTuple


class ProtocolError(ValueError):
    """The line is not one of these messages."""


class Configure(NamedTuple):
    """The first message: open `calls` port pairs in a range, both ends included; 0 and 0: any free ports.

    `calls_file`: the lock that each process with calls of the dialer holds ("": none).
    """

    calls: int
    bind_address: str
    rtp_port_from: int
    rtp_port_till: int
    calls_file: str = ""


class Play(NamedTuple):
    """Start the prompt of a call, or continue it after a hold or at a new address.

    `port` is the local RTP port, `source` the local address, `address` and `to_port` where packets go;
    `codec` is PCMA or PCMU. `events_types` are the payload types taken as telephone events. `heard_ms` is the
    threshold to report, None for none. With a greater `part` than before, `audio` begins from its start;
    `counts` tells whether it is the prompt, whose playing counts as heard.
    """

    call: int
    port: int
    source: str
    address: str
    to_port: int
    codec: str
    payload_type: int
    events_types: tuple[int, ...]
    packet_ms: int
    audio: str
    heard_ms: int | None
    part: int = 0
    counts: bool = True


class Hold(NamedTuple):
    """Stop sending for the time of a hold; keys are still received."""

    call: int


class Stop(NamedTuple):
    """End the stream of a call. `Stopped` follows, also for a call that has none."""

    call: int


class Farewell(NamedTuple):
    """The request that ends a call, to be sent if the dialer dies. `Stop` withdraws it.

    `then` is sent after it: a BYE for a call that was answered before the CANCEL arrived.
    """

    call: int
    data: str
    transport: str
    host: str
    port: int
    then: str = ""


class Ready(NamedTuple):
    """The local RTP ports, and how packets are sent: `raw` (one system call for many) or `sockets`."""

    ports: tuple[int, ...]
    way: str


class Refused(NamedTuple):
    """The process cannot start; it ends after this message."""

    reason: str


class Beat(NamedTuple):
    """Sent twice a second: the worst clock delay since the last report, the total of packets, the streams."""

    lag_ms: int
    packets: int
    streams: int


class Started(NamedTuple):
    """The first packet has been sent. `at` is Unix time in ms, here and below."""

    call: int
    at: int


class Heard(NamedTuple):
    call: int
    at: int
    heard_ms: int


class Finished(NamedTuple):
    """The last packet of a part has been sent."""

    call: int
    at: int
    heard_ms: int
    part: int = 0


class Key(NamedTuple):
    call: int
    at: int
    key: str


class Stopped(NamedTuple):
    """The stream has ended; `heard_ms` of the prompt have been sent in all, in `packets`.

    `lost`: the packets that the far end missed, by its last RTCP report; None if it sent none.
    """

    call: int
    heard_ms: int
    packets: int = 0
    lost: int | None = None


class Failed(NamedTuple):
    """The prompt cannot be played; there is no stream."""

    call: int
    why: str


ToMedia = Configure | Play | Hold | Stop | Farewell
FromMedia = Ready | Refused | Beat | Started | Heard | Finished | Key | Stopped | Failed
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*ToMedia.__args__, *FromMedia.__args__)}


def encode(message: ToMedia | FromMedia) -> bytes:
    return json.dumps((type(message).__name__, *message)).encode() + b"\n"


def decode(line: bytes) -> Any:
    """Return the message in a line.

    Raises:
        ProtocolError: if it is none.

    """
    try:
        name, *values = json.loads(line)
        return _KINDS[name](*[tuple(one) if isinstance(one, list) else one for one in values])
    except (ValueError, TypeError, KeyError) as error:
        raise ProtocolError(f"not a message: {line[:200]!r}") from error
