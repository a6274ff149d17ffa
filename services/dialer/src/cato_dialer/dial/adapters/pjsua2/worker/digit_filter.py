"""Which of the keys that reach us count: a far end may send the same one in two ways."""

from dataclasses import dataclass

from cato_dialer.dial.domain.call.line_events import DigitSource

_KEYS = frozenset("0123456789*#ABCD")
RTP_EVENTS, TONES = DigitSource.RTP_EVENT, DigitSource.IN_BAND


@dataclass(slots=True)
class Keypad:
    """Takes keys that come in one of `ways`.

    Tones beside events or INFO are the same keys once more, or one of them is imagined: where both are
    taken, the first key decides for the rest of the call which it is.
    """

    ways: tuple[str, ...]
    _tones: bool | None = None

    @property
    def listens(self) -> bool:
        """Whether tones are worth listening for."""
        return TONES in self.ways and self._tones is not False

    def take(self, digit: str, way: str) -> str | None:
        """Return the key, or None if it does not count."""
        key = digit.upper()
        if way not in self.ways or key not in _KEYS:
            return None
        if self._tones is None:
            self._tones = way == TONES
        return key if self._tones == (way == TONES) else None
