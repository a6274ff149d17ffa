"""RTP sent by a call: looped audio, and digits as RFC 4733 events or as tones."""

import secrets
import struct
from collections import deque

from cato_exchange.media.rtp_port import RtpPort
from cato_exchange.media.tones import FRAME, key

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_EVENT_CODES = "0123456789*#ABCD"
_VOLUME = 10
_END = 0x80
_FRAMES_PER_KEY = 5
_END_PACKETS = 3
_MARKER = 0x80


class RtpSender:
    """One RTP stream; `tick` is called every 20 ms. Time stamps advance during silence."""

    def __init__(self, port: RtpPort, destination: tuple[str, int], payload_type: int) -> None:
        self.destination = destination
        self.loop: bytes = b""
        "Audio to repeat; empty: no packets are sent."
        self._port = port
        self._payload_type = payload_type
        self._position = 0
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._source = secrets.randbits(32)
        self._talking = False
        self._events: deque[list[tuple[int, int, bytes]]] = deque()
        self._frames: deque[bytes] = deque()

    @property
    def idle(self) -> bool:
        return not (self.loop or self._events or self._frames)

    def press(self, digits: str, event_type: int) -> None:
        """Queue each digit as a 100 ms event and a 100 ms pause (RFC 4733 2.5.1: three end packets)."""
        for digit in digits:
            code = _EVENT_CODES.index(digit)
            for frame in range(1, _FRAMES_PER_KEY + 1):
                duration = frame * FRAME
                last = frame == _FRAMES_PER_KEY
                first_byte = (_MARKER if frame == 1 else 0) | event_type
                packets = [
                    (
                        first_byte if n == 0 else event_type,
                        frame - 1,
                        _EVENT.pack(code, _VOLUME | (_END if last else 0), duration),
                    )
                    for n in range(_END_PACKETS if last else 1)
                ]
                self._events.append(packets)
            self._events.extend([[]] * _FRAMES_PER_KEY)

    def press_inband(self, digits: str) -> None:
        for digit in digits:
            audio = key(digit)
            self._frames.extend(audio[n : n + FRAME] for n in range(0, len(audio), FRAME))

    def tick(self) -> None:
        if self._events:
            # All packets of an event have the time stamp of its start.
            for first_byte, frames_ago, payload in self._events.popleft():
                self._send(first_byte, self._timestamp - frames_ago * FRAME, payload)
        elif frame := self._next_frame():
            self._send(self._payload_type | (0 if self._talking else _MARKER), self._timestamp, frame)
            self._talking = True
        else:
            self._talking = False
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF

    def _next_frame(self) -> bytes:
        if self._frames:
            return self._frames.popleft()
        frame = self.loop[self._position : self._position + FRAME]
        self._position = (self._position + FRAME) % len(self.loop) if self.loop else 0
        return frame

    def _send(self, second_byte: int, timestamp: int, payload: bytes) -> None:
        header = _HEADER.pack(0x80, second_byte, self._sequence, timestamp & 0xFFFFFFFF, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._port.send(header + payload, self.destination)
