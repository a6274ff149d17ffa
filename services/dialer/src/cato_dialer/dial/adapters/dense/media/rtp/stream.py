"""One stream: its position in the prompt, its destination, and the source that it accepts packets from."""

import ipaddress
import random
import time
from dataclasses import dataclass, field
from typing import Protocol

from cato_dialer.dial.adapters.dense.media.rtp.prompts import BYTES_PER_MS, STEP_MS, Prompt
from cato_dialer.dial.adapters.dense.media.rtp.telephone_events import TelephoneEvents

_TRUST_OTHERS_AFTER_S = 0.5
_RANDOM = random.SystemRandom()


@dataclass(slots=True)
class Due:
    """The streams that started, reached their mark or ended with the packets just sent."""

    started: "list[Stream]" = field(default_factory=list)
    heard: "list[Stream]" = field(default_factory=list)
    finished: "list[Stream]" = field(default_factory=list)


class Sender(Protocol):
    """Sends the packets of some streams, one of each at every tick."""

    failed: int

    @property
    def count(self) -> int: ...
    def add(self, stream: "Stream") -> None:
        """Send the stream's packets from the next tick on."""
        ...

    def remove(self, stream: "Stream") -> None:
        """Stop sending; the stream keeps its position."""
        ...

    def redirect(self, stream: "Stream") -> None:
        """Use the current address and port of the stream from now on."""
        ...

    def position(self, stream: "Stream") -> int:
        """Return how many steps of its prompt a stream has sent."""
        ...

    def stamp(self, stream: "Stream") -> int: ...
    def tick(self, descriptor: int) -> Due | None:
        """Send one packet of each stream. Return the streams with a change, or None."""
        ...


@dataclass(slots=True, eq=False)
class Stream:
    """Positions are steps of 10 ms. SSRC, sequence number and time stamp begin at random (RFC 3550, 5.1)."""

    call: int
    port: int
    source: str
    address: str
    to_port: int
    payload_type: int
    events_types: tuple[int, ...]
    packet_ms: int
    prompt: Prompt
    next_mark: int | None
    """The position to report."""
    marked_ms: int = 0
    """How much had been sent at the mark."""
    ssrc: int = field(default_factory=lambda: _RANDOM.getrandbits(32))
    sequence: int = field(default_factory=lambda: _RANDOM.getrandbits(15))
    stamp: int = field(default_factory=lambda: _RANDOM.getrandbits(32))
    position: int = 0
    packets: int = 0
    lost: int | None = None
    """The packets that the far end missed, by its last report."""
    started: bool = False
    finished: bool = False
    part: int = 0
    counts: bool = True
    """What plays is the prompt, not another file."""
    most_heard_ms: int = 0
    """The most of the prompt that was sent in an earlier part."""
    phase: "Sender | None" = None
    """The sender that the stream is in now; None while it is not sent."""
    row: int = -1
    events: TelephoneEvents = field(default_factory=TelephoneEvents)
    _held_at: float | None = None
    _latched: tuple[str, int, int] | None = None
    _session_began: float = field(default_factory=time.monotonic)

    def advance_to(self, position: int) -> None:
        """Take over the position from the arrays."""
        self.packets += (position - self.position) // (self.packet_ms // STEP_MS)
        self.position = min(position, self.prompt.steps)

    def heard_ms(self) -> int:
        """Return how much of the prompt has been sent, the most of it in one go."""
        now = min(self.position * STEP_MS, self.prompt.length_ms) if self.counts else 0
        return max(now, self.most_heard_ms)

    def begin(self, part: int, *, counts: bool) -> None:
        """Go to the start of another part; the stream is not sent meanwhile."""
        self.most_heard_ms = self.heard_ms()
        self.part, self.counts = part, counts
        self.position, self.finished = 0, False
        if not counts:
            self.next_mark = None

    def held(self) -> None:
        """Note that no packets are sent from now on."""
        if self._held_at is None:
            self._held_at = time.monotonic()

    def resumed(self) -> None:
        """Advance the time stamp by the time without packets (RFC 3550, 5.1)."""
        if self._held_at is not None:
            self.stamp = (self.stamp + round((time.monotonic() - self._held_at) * 1000) * BYTES_PER_MS) % (
                1 << 32
            )
            self._held_at = None

    def moved(self) -> None:
        """Accept packets from a new source: the far end has announced another address."""
        self._latched = None
        self._session_began = time.monotonic()

    def takes(self, address: str, port: int, ssrc: int) -> bool:
        """Return whether a packet comes from the far end. The first valid packet fixes the source.

        A far end behind address translation sends from another port or address than it names (symmetric RTP).
        Such a source is accepted only after a delay, since late packets of an earlier call look the same.
        Another address is accepted only if the named one is private.
        """
        if self._latched is None:
            named = (address, port) == (self.address, self.to_port)
            if not named and not self._may_come_from(address):
                return False
            self._latched = (address, port, ssrc)
        return self._latched == (address, port, ssrc)

    def _may_come_from(self, address: str) -> bool:
        if time.monotonic() < self._session_began + _TRUST_OTHERS_AFTER_S:
            return False
        return address == self.address or ipaddress.ip_address(self.address).is_private

    @property
    def latched_to(self) -> tuple[str, int] | None:
        return self._latched[:2] if self._latched else None
