"""Decide which digits count: the other end may send the same key in two ways."""

from dataclasses import dataclass

from cato_dialer.dial.domain.call.line_events import DigitSource

_KEYS = frozenset("0123456789*#ABCD")
RTP_EVENTS, TONES = DigitSource.RTP_EVENT, DigitSource.IN_BAND


@dataclass(slots=True)
class DigitFilter:
    """Accepts keys that come in one of `ways`.

    Tones beside events or INFO repeat the same keys, or are recognised falsely. If both ways are accepted,
    the first key of a call decides which one counts for the rest of it.
    """

    ways: tuple[str, ...]
    _tones: bool | None = None

    @property
    def listens(self) -> bool:
        """Tell whether tones can still count."""
        return TONES in self.ways and self._tones is not False

    def take(self, digit: str, way: str) -> str | None:
        """Return the key in upper case, or None if it does not count."""
        key = digit.upper()
        if way not in self.ways or key not in _KEYS:
            return None
        if self._tones is None:
            self._tones = way == TONES
        return key if self._tones == (way == TONES) else None
