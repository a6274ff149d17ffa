"""Measure how much of the prompt has been sent, by the counts of the RTP stream."""

from dataclasses import dataclass
from enum import Enum, auto

BYTES_PER_MS = 8
"G.711, A-law or mu-law, with packets of any length."
FRAME_MS = 20


class Mark(Enum):
    """A point that the playback has passed."""

    HEARD = auto()
    FINISHED = auto()


@dataclass(slots=True)
class Playback:
    """Counts one prompt of `length` bytes over one or more streams.

    A re-INVITE may replace the stream with a new one, which counts from 0. The bridge sends silence when it
    has nothing else, so bytes that a stream sent before the prompt was connected do not count. The bridge
    connects at its next tick, so one frame of silence may follow after the count was read. More was sent
    then than was read from the file; `observe` corrects that.
    """

    length: int
    threshold_ms: int | None
    _done: int = 0
    _base: int | None = None
    _current: int = 0
    _lag_since_ms: float = 0.0
    _lag_from_bytes: int = 0
    _heard_reported: bool = False
    _finished: bool = False

    @property
    def sent_bytes(self) -> int:
        return min(self._done + self._current, self.length)

    @property
    def heard_ms(self) -> int:
        return self.sent_bytes // BYTES_PER_MS

    @property
    def running(self) -> bool:
        return self._base is not None and not self._finished

    @property
    def finished(self) -> bool:
        return self._finished

    @property
    def threshold_left_ms(self) -> int | None:
        """The threshold, None if there is none or it was reported."""
        return None if self._heard_reported else self.threshold_ms

    def stream_connected(self, sent_before: int, now_ms: float) -> None:
        """Begin or continue on a stream that has sent `sent_before` bytes of other audio."""
        self._done += self._current
        self._base, self._current = sent_before, 0
        self._lag_since_ms, self._lag_from_bytes = now_ms, self.sent_bytes

    def stream_ended(self, sent: int | None) -> None:
        """Handle the end or hold of the stream; `sent` is its last count, None if it is not known."""
        if self._base is None:
            return
        if sent is not None:
            self._current = max(sent - self._base, self._current)
        self._done += self._current
        self._base, self._current = None, 0

    def observe(self, sent: int, position: int) -> list[Mark]:
        """Take the count of the stream and then the position in the file; return the marks passed.

        The position is 0 before the first frame and again at the end of the file: it counts in between.
        """
        if self._base is None or self._finished:
            return []
        self._current = max(sent - self._base, 0)
        slipped_in = self._done + self._current - position
        if 0 < position < self.length and slipped_in > 0:
            self._base += slipped_in
            self._current = max(self._current - slipped_in, 0)
        return self._marks()

    def _marks(self) -> list[Mark]:
        marks = []
        if not self._heard_reported and self.threshold_ms is not None and self.heard_ms >= self.threshold_ms:
            self._heard_reported = True
            marks.append(Mark.HEARD)
        if self.sent_bytes >= self.length:
            self._finished = True
            marks.append(Mark.FINISHED)
        return marks

    def next_observation_ms(self, now_ms: float) -> float:
        """Return the earliest time of the next mark, on the clock of `now_ms`."""
        goal_ms = -(-self.length // BYTES_PER_MS)
        if not self._heard_reported and self.threshold_ms is not None:
            goal_ms = min(goal_ms, self.threshold_ms)
        return now_ms + min(max(goal_ms - self.heard_ms, FRAME_MS), 500)

    def lag_ms(self, now_ms: float) -> float:
        """Return how far the sending is behind the clock since the stream was connected."""
        if not self.running:
            return 0.0
        sent_ms = (self.sent_bytes - self._lag_from_bytes) / BYTES_PER_MS
        return max(now_ms - self._lag_since_ms - sent_ms - FRAME_MS, 0.0)
