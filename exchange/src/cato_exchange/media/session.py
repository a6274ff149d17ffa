"""The audio of one call: its port, the negotiated codec, the audio sent and the audio received."""

from typing import Protocol

from cato_exchange.media import sdp
from cato_exchange.media.rtp_port import RtpPort
from cato_exchange.media.rtp_report import RtpReport, analyse
from cato_exchange.media.rtp_sender import RtpSender
from cato_exchange.media.tones import ringback, talking
from cato_exchange.plan import KeyedBy


class Pacing(Protocol):
    """The part of the media loop that a session uses."""

    def open(self, host: str) -> RtpPort: ...
    def close(self, port: RtpPort) -> None: ...
    def start(self, sender: RtpSender) -> None: ...
    def stop(self, sender: RtpSender) -> None: ...


class MediaSession:
    """Negotiates, sends and receives. The port is opened with the first SDP of the exchange."""

    def __init__(self, pacing: Pacing, bind_host: str, host: str) -> None:
        self._pacing = pacing
        self._bind_host = bind_host
        self._host = host
        self._port: RtpPort | None = None
        self._remote: sdp.Description | None = None
        self._sender: RtpSender | None = None
        self._version = 0
        self._ours = b""

    @property
    def codec(self) -> str | None:
        return None if self._remote is None else sdp.CODECS[self._remote.payload_type]

    def answer(self, offer: bytes) -> bytes:
        """Return the SDP answer. Raises: NotAcceptableError, OSError."""
        self._agree(sdp.read(offer))
        assert self._remote is not None  # noqa: S101
        self._version += 1
        self._ours = sdp.write(
            self._address(),
            version=self._version,
            direction=sdp.MIRRORED[self._remote.direction],
            codecs=(self._remote.payload_type,),
            event_type=self._remote.event_type,
            beside=self._remote,
        )
        return self._ours

    def offer(self, direction: sdp.Direction = "sendrecv") -> bytes:
        """Return an SDP offer, with the negotiated codec if there is one. Raises: OSError."""
        self._version += 1
        self._ours = sdp.write(
            self._address(),
            version=self._version,
            direction=direction,
            codecs=tuple(sdp.CODECS) if self._remote is None else (self._remote.payload_type,),
            event_type=101 if self._remote is None else self._remote.event_type,
            beside=self._remote,
        )
        return self._ours

    def repeat(self) -> bytes:
        """Return the last SDP again: an offer that changes nothing."""
        return self._ours

    def accept(self, answer: bytes) -> None:
        """Apply the peer's SDP answer. Raises: NotAcceptableError."""
        self._agree(sdp.read(answer))

    def send_ringback(self) -> None:
        self._sending().loop = ringback()

    def send_tone(self) -> None:
        self._sending().loop = talking()

    def stop_audio(self) -> None:
        if self._sender is not None:
            self._sender.loop = b""

    def press(self, digits: str, by: KeyedBy) -> None:
        """Send digits as `rfc4733` or `inband`. Raises: NotAcceptableError without telephone-event."""
        if by == "inband":
            self._sending().press_inband(digits)
            return
        if self._remote is None or self._remote.event_type is None:
            raise sdp.NotAcceptableError("the caller did not offer telephone-event")
        self._sending().press(digits, self._remote.event_type)

    def close(self) -> tuple[RtpReport, bytes]:
        """Close the port; return the report on the received RTP and the received audio."""
        if self._sender is not None:
            self._pacing.stop(self._sender)
        if self._port is None:
            return RtpReport(), b""
        port, self._port = self._port, None
        self._pacing.close(port)
        remote = self._remote
        return analyse(
            port.packets,
            port.sizes,
            port.arrivals,
            sdp.PCMA if remote is None else remote.payload_type,
            101 if remote is None else remote.event_type,
        )

    def _agree(self, remote: sdp.Description) -> None:
        self._remote = remote
        if self._sender is not None:
            self._sender.destination = remote.address

    def _address(self) -> tuple[str, int]:
        if self._port is None:
            self._port = self._pacing.open(self._bind_host)
        return self._host, self._port.number

    def _sending(self) -> RtpSender:
        if self._sender is None:
            if self._remote is None or self._port is None:
                raise sdp.NotAcceptableError("no codec was negotiated yet")
            self._sender = RtpSender(self._port, self._remote.address, self._remote.payload_type)
            self._pacing.start(self._sender)
        return self._sender
