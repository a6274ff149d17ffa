"""Decide whether bytes without a signature are raw PCM speech: 16 bits, little-endian, 8 kHz, mono.

Raw PCM has no header, so any bytes could be samples. Played as such, compressed data, text and samples of
another format are loud white noise, which nobody understands but every telephone plays. Speech and tones
differ in one property: each sample can be predicted from those before it. The prediction gain is the level
of a window relative to the error of the best linear predictor of order 8 (Levinson-Durbin).

Measured on windows of 64 ms above -50 dBFS: 90 % of the windows of speech have a gain of 2.8 to 14.5 dB, at
5 % to 300 % of its level; tones 18 dB and more; compressed formats, archives, programs and text 0 to 1 dB at
-4 to -12 dBFS. A window counts as noise below 2 dB and above -16 dBFS. That is no window of a recording, 8 %
of one that is amplified by 30 dB, at most 57 % of a recording at -9 dBFS with white noise 6 dB below it, and
73 to 100 % of other data; the threshold is 65 %.

Samples of 8 bits and G.711 have fewer: 17 to 70 % below 2.5 dB and above -20 dBFS in speech, none in tones.
So the bytes are also read in these formats. One of them is meant if raw PCM would be loud and it has 5 dB
more than raw PCM, 10 dB if less than 10 % of the windows are like noise. Measured: 6.6 to 15 dB more for
speech in these formats, 14 to 18 dB for tones; at most 5.7 dB, and no noise, for square, sawtooth and clipped
waves, and clipped speech, in raw PCM. Waves of a few levels only, such as a square wave, are left alone.

Two channels and 32 bits show by pairs of samples: equal, or one of them always zero.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul

from cato_media.domain.g711 import ALAW_LEVELS, MULAW_LEVELS
from cato_media.domain.sound import Buffer

WINDOW = 512
"""Samples in a window."""

_MAX_WINDOWS = 160
_ORDER = 8
_FULL_SCALE = 32768.0
_ACTIVE_DBFS = -50.0
_LOUD_DBFS = -20.0
_NOISE_DBFS, _NOISE_GAIN_DB, _NOISE_SHARE = -16.0, 2.0, 0.65
_LOUD_SHARE = 0.6
_LIKE_NOISE_GAIN_DB = 2.5
_SUSPICIOUS_SHARE = 0.1
_BETTER_DB, _MUCH_BETTER_DB = 5.0, 10.0
_PLAUSIBLE_DB = 5.0
_FEW_VALUES = 32
_QUIET_SHIFT = 1e-9


def implausible(data: Buffer) -> str | None:
    """Return what the bytes seem to be instead of raw PCM; None if they are plausible as raw PCM."""
    windows = [array("h", section) for section in _sections(data, 2 * WINDOW)]
    if _all_in_pairs(windows):
        return "raw PCM of two channels or of 32 bits"
    own = _measured(windows)
    loud = _share(own, lambda level, _: level > _LOUD_DBFS)
    if loud < _LOUD_SHARE:
        return None
    gain = _median_gain(own)
    noise = _share(own, lambda level, gain: level > _NOISE_DBFS and gain < _NOISE_GAIN_DB)
    if noise >= _NOISE_SHARE:
        found = _most_predictable((*_BYTES, *_NUMBERS), data, at_least=gain + _BETTER_DB)
        return found or "compressed or other data"
    if not any(len(set(window)) > _FEW_VALUES for window in windows):
        return None
    like_noise = _share(own, lambda level, gain: level > _LOUD_DBFS and gain < _LIKE_NOISE_GAIN_DB)
    better = _BETTER_DB if like_noise >= _SUSPICIOUS_SHARE else _MUCH_BETTER_DB
    return _most_predictable(_BYTES, data, at_least=gain + better)


def _all_in_pairs(windows: Sequence[Sequence[int]]) -> bool:
    """Return whether in each pair of samples both are equal, or always the same one is zero."""
    active = [window for window in windows if len(set(window)) > _FEW_VALUES]
    return bool(active) and any(
        all(condition(window[0::2], window[1::2]) for window in active)
        for condition in (
            lambda first, second: first == second,
            lambda first, _: not any(first),
            lambda _, second: not any(second),
        )
    )


def _most_predictable(readings: tuple["_Reading", ...], data: Buffer, *, at_least: float) -> str | None:
    """Return the name of the format in which the data are most predictable, if they are enough so."""
    gain, name = max((_median_gain(_measured(reading.windows(data))), reading.name) for reading in readings)
    return name if gain >= max(_PLAUSIBLE_DB, at_least) else None


def _sections(data: Buffer, size: int) -> list[bytes]:
    """Return sections of `size` bytes, spread evenly over the data; the whole if it is shorter than one."""
    count = len(data) // size
    if count == 0:
        return [data[: len(data) // 2 * 2]]
    chosen = (
        range(count) if count <= _MAX_WINDOWS else [n * count // _MAX_WINDOWS for n in range(_MAX_WINDOWS)]
    )
    return [data[n * size : (n + 1) * size] for n in chosen]


def _big_endian(section: bytes) -> Sequence[float]:
    samples = array("h", section[: len(section) // 2 * 2])
    samples.byteswap()
    return samples


def _upper_bytes(section: bytes, width: int) -> bytes:
    """Return the upper 16 bits of little-endian samples."""
    whole = section[: len(section) // width * width]
    upper = bytearray(len(whole) // width * 2)
    upper[0::2], upper[1::2] = whole[width - 2 :: width], whole[width - 1 :: width]
    return bytes(upper)


def _floating(section: bytes) -> Sequence[float]:
    values = array("f", section[: len(section) // 4 * 4])
    if not all(abs(value) <= 8 for value in values):  # noqa: PLR2004 - not samples; false for NaN, too
        return []
    return [value * _FULL_SCALE for value in values]


@dataclass(frozen=True)
class _Reading:
    """A format that bytes without a signature may have."""

    name: str
    width: int
    samples: Callable[[bytes], Sequence[float]]

    def windows(self, data: Buffer) -> list[Sequence[float]]:
        return [self.samples(section) for section in _sections(data, WINDOW * self.width)]


_BYTES = (
    _Reading("raw PCM of 8 bits", 1, lambda section: [(code - 128) * 256 for code in section]),
    _Reading("A-law without a header", 1, lambda section: [ALAW_LEVELS[code] for code in section]),
    _Reading("µ-law without a header", 1, lambda section: [MULAW_LEVELS[code] for code in section]),
)
_NUMBERS = (
    _Reading("raw PCM in big-endian order", 2, _big_endian),
    _Reading("raw PCM of 24 bits", 3, lambda section: array("h", _upper_bytes(section, 3))),
    _Reading("raw PCM of 32 bits", 4, lambda section: array("h", _upper_bytes(section, 4))),
    _Reading("raw PCM in floating point", 4, _floating),
)


def _measured(windows: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return level and gain of the windows that are not silent."""
    return [(level, gain) for level, gain in map(_measure, windows) if level > _ACTIVE_DBFS]


def _share(measured: list[tuple[float, float]], condition: Callable[[float, float], bool]) -> float:
    return sum(condition(level, gain) for level, gain in measured) / max(len(measured), 1)


def _median_gain(measured: list[tuple[float, float]]) -> float:
    gains = sorted(gain for _, gain in measured)
    return gains[len(gains) // 2] if gains else 0.0


def _measure(window: Sequence[float]) -> tuple[float, float]:
    """Return the level of a window in dBFS, without its direct current, and its prediction gain in dB."""
    if len(window) <= _ORDER:
        return -math.inf, 0.0
    mean = sum(window) / len(window)
    samples = [sample - mean for sample in window]
    lags = [sum(map(mul, samples[lag:], samples)) for lag in range(_ORDER + 1)]
    power = lags[0] / len(samples) / _FULL_SCALE**2
    if power <= 0:
        return -math.inf, 0.0
    return 10 * math.log10(power), _prediction_gain(lags)


def _prediction_gain(lags: list[float]) -> float:
    """Return the gain of the best linear predictor for an autocorrelation (Levinson-Durbin)."""
    error = lags[0] * 1.0001
    predictor = [1.0]
    for order in range(1, _ORDER + 1):
        reflection = -sum(map(mul, predictor, lags[order:0:-1])) / error
        extended = [*predictor, 0.0]
        predictor = [
            one + reflection * other for one, other in zip(extended, reversed(extended), strict=True)
        ]
        error *= max(1 - reflection * reflection, _QUIET_SHIFT)
    return 10 * math.log10(lags[0] / error)
