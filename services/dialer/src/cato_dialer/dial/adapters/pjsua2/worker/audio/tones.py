"""Recognise keys by their tones in the audio: ITU-T Q.23 (the tones) and Q.24 (how to recognise them).

The audio is split into blocks of 12.75 ms. Two equal blocks in a row are a key, so a tone of 40 ms is enough
wherever it begins. Two other blocks end it, so 40 ms of silence separate two keys and 10 ms do not. Speech
contains tones, too, but rarely just two: the tones of a key have nearly all the energy of a block.
"""

from array import array
from cmath import exp, phase
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sin, tau
from operator import mul

RATE = 8_000
BLOCK = 102
"Samples. The first zero of the filters is 78 Hz off, near the next tone."

_KEYS = ("123A", "456B", "789C", "*0#D")
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))


_FULL_SCALE = 32_124
"The peak of a sine at +3.14 dBm0 (ITU-T G.711)."
_WEAKEST = _FULL_SCALE**2 / 2 * _ratio(-29 - 3.14)
"Mean power of one tone at -29 dBm0; by Q.24, -25 must be recognised and -55 must not."
_LOUDER_COLUMN = _ratio(4 + 1)
_LOUDER_ROW = _ratio(8 + 2)
"The higher tone up to 4 dB above the lower or 8 dB below it (Q.24); one that is 1.5 % off shows 1.4 dB less."
_ABOVE_THE_REST = _ratio(7)
"Between the tone and the others of its group: a neighbour shows 10 dB less, with both a little off."
_SHARE = 0.7
"Of the block's energy, as the filters show it. Two tones 1.5 % off, 15 dB above the noise, have 0.73."
_TRUE_SHARE = 0.92
"The same, corrected for the loss of filters that are off the tone: 0.97."
_MOST_OFF = 0.025
"By Q.24, 1.5 % must be accepted and 3.5 % must not."
_AWAY = 2
"Blocks without the key until it is released."


def _filters(frequencies: Sequence[int]) -> tuple[tuple[complex, ...], ...]:
    """Return the weights of each filter; their sum with the samples is the part of the tone in the block.

    This is what Goertzel's recursion computes, which would be a loop in Python.
    """
    return tuple(tuple(exp(-1j * tau * hertz * n / RATE) for n in range(BLOCK)) for hertz in frequencies)


_ROW_FILTERS, _COLUMN_FILTERS = _filters(_ROWS), _filters(_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A block with two prominent tones; `parts` are theirs, the lower one first."""

    row: int
    column: int
    parts: tuple[complex, complex]
    energy: float

    @property
    def key(self) -> str:
        return _KEYS[self.row][self.column]

    def goes_on(self, before: "_Pair") -> bool:
        """Tell whether the block before had the same key.

        The phase of a tone advances from one block to the next by its frequency. This gives the deviation
        of the tone, and from it the loss of the filter. Speech that resembles a key rarely passes this test.
        """
        if self.key != before.key:
            return False
        power = 0.0
        for hertz, now, then in zip(
            (_ROWS[self.row], _COLUMNS[self.column]), self.parts, before.parts, strict=True
        ):
            turned = (phase(now) - phase(then)) / tau - hertz * BLOCK / RATE
            off = turned - round(turned)
            if abs(off) > _MOST_OFF * hertz * BLOCK / RATE:
                return False
            power += (_power(now) + _power(then)) / _passed(off)
        return power * BLOCK > _TRUE_SHARE * (self.energy + before.energy)


class ToneReceiver:
    """Finds keys in audio that comes in pieces of any length."""

    def __init__(self) -> None:
        self._rest: array[int] = array("h")
        self._last: _Pair | None = None
        self._held = ""
        self._away = 0

    def hear(self, samples: bytes) -> str:
        """Return the keys recognised by now; `samples` are 16 bit in the byte order of the machine."""
        self._rest.frombytes(samples)
        whole = len(self._rest) // BLOCK * BLOCK
        blocks = (self._rest[at : at + BLOCK] for at in range(0, whole, BLOCK))
        keys = "".join(self._followed(_pair_in(block)) for block in blocks)
        del self._rest[:whole]
        return keys

    def _followed(self, pair: _Pair | None) -> str:
        """Return the key that this block completes, None for none."""
        sure = pair is not None and self._last is not None and pair.goes_on(self._last)
        self._last = pair
        if pair is not None and pair.key == self._held:
            self._away = 0
        elif pair is not None and sure:
            self._held, self._away = pair.key, 0
            return pair.key
        else:
            self._away += 1
            if self._away >= _AWAY:
                self._held = ""
        return ""


def _pair_in(block: Sequence[int]) -> _Pair | None:
    """Return the two tones of a key, if they have nearly all the energy."""
    energy = sum(map(mul, block, block))
    if energy < 2 * _WEAKEST * BLOCK:
        return None
    row, low = _loudest(block, _ROW_FILTERS)
    # Most speech is dropped here: it has little energy in this range, or some at every frequency.
    if row is None or _power(low) * (1 + _LOUDER_COLUMN) * BLOCK < _SHARE * energy:
        return None
    column, high = _loudest(block, _COLUMN_FILTERS)
    if column is None or (_power(low) + _power(high)) * BLOCK < _SHARE * energy:
        return None
    if _power(high) > _LOUDER_COLUMN * _power(low) or _power(low) > _LOUDER_ROW * _power(high):
        return None
    return _Pair(row, column, (low, high), energy)


def _loudest(block: Sequence[int], filters: Sequence[Sequence[complex]]) -> tuple[int | None, complex]:
    """Return the prominent tone, None for none, and its part."""
    parts = [sum(map(mul, block, weights)) for weights in filters]
    powers = [_power(part) for part in parts]
    best = max(powers)
    clear = sum(power * _ABOVE_THE_REST > best for power in powers) == 1
    index = powers.index(best)
    return (index if clear and best >= _WEAKEST else None), parts[index]


def _power(part: complex) -> float:
    """Return the mean power of a tone whose part in a block is this."""
    return 2 * (part.real**2 + part.imag**2) / BLOCK**2


def _passed(off: float) -> float:
    """Return the share of a tone's power that its filter passes; `off`: deviation in turns per block."""
    return 1.0 if off == 0 else (sin(pi * off) / (pi * off)) ** 2
