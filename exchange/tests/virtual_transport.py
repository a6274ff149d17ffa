"""A clock that the test advances, and a flow that records what is sent."""

import heapq
import itertools
from collections.abc import Callable

from sipmessage import Message, Request, Response


class VirtualTimer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """Time advances only in `advance`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._due: list[tuple[float, int, VirtualTimer, Callable[[], object]]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> VirtualTimer:
        timer = VirtualTimer()
        heapq.heappush(self._due, (self._now + delay, next(self._order), timer, callback))
        return timer

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer, callback = heapq.heappop(self._due)
            if not timer.cancelled:
                callback()
        self._now = end


class RecordingFlow:
    """Records each sent message with its time."""

    def __init__(
        self, clock: VirtualClock, *, reliable: bool = False, peer: tuple[str, int] = ("127.0.0.1", 5062)
    ) -> None:
        self._clock = clock
        self.reliable = reliable
        self.peer = peer
        self.local = ("127.0.0.1", 5060)
        self.protocol = "TCP" if reliable else "UDP"
        self.sent: list[tuple[float, Request | Response]] = []

    def towards(self, host: str, port: int) -> "RecordingFlow":
        other = RecordingFlow(self._clock, reliable=self.reliable, peer=(host, port))
        other.sent = self.sent
        return other

    def send(self, data: bytes) -> None:
        self.sent.append((self._clock.time(), Message.parse(data)))

    @property
    def codes(self) -> list[int]:
        return [message.code for _, message in self.sent if isinstance(message, Response)]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]
