"""Recognise keys in the RFC 4733 events of one call; each press is reported once."""

from dataclasses import dataclass

_KEYS = "0123456789*#ABCD"
_WRAP = 1 << 32
_HALF = 1 << 31
_SEGMENT = 0xFFFF
"A longer event continues in a new segment, with a new time stamp (RFC 4733, 2.5.1.3)."
_LEAST_BYTES = 4


@dataclass(slots=True)
class TelephoneEvents:
    """Decodes the payloads of event packets in the order of arrival.

    All packets of a press have the same time stamp, so the first one that comes gives the key. Lost
    beginnings and ends do not matter; repeated and late packets of an earlier press are known by their time.
    """

    _stamp: int | None = None
    _event: int = -1
    _duration: int = 0

    def take(self, stamp: int, payload: bytes) -> str | None:
        """Return the key of a press that is new, else None."""
        if len(payload) < _LEAST_BYTES or payload[0] >= len(_KEYS):
            return None
        event, duration = payload[0], int.from_bytes(payload[2:4], "big")
        if self._stamp is not None:
            ahead = (stamp - self._stamp) % _WRAP
            if ahead == 0:
                self._duration = max(self._duration, duration)
                return None
            if ahead >= _HALF:
                return None  # a late packet of an earlier press
            if event == self._event and ahead == self._duration == _SEGMENT:
                self._stamp, self._duration = stamp, duration
                return None  # the same press continues
        self._stamp, self._event, self._duration = stamp, event, duration
        return _KEYS[event]
