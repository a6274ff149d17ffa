"""What is said about a prompt that is accepted: warnings, each with a code."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cato_media.domain.mixing import Mixing, Survey
from cato_media.domain.sound import Kind, Sound

SILENT_DBFS = -60.0
"""A prompt whose peak is below is silent: telephones play noise of their own at this level."""

FRAME_MS = 20
_PAUSE_DBFS = -55.0
_QUIET_DBFS = -36.0
_UNHEARD_DB = 30.0
_CLIPPED_FLAT_FACTOR = 10.0
_CLIPPED_PEAK_DBFS = -1.0
_LONG_START_S, _LONG_END_S = 2.0, 5.0
_LOW_PITCHED = 0.985
"""The correlation of neighbouring samples: up to 0.95 for speech, more if nothing is above 250 Hz."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A sentence for the client, and a code that programs can rely on."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The levels of a prompt in dB below full scale, as a telephone plays it.

    `active_dbfs` is the level without the pauses, None if there is nothing else. `frames_dbfs` has the level
    of every packet of 20 ms. `correlation` is that of neighbouring samples.
    """

    peak_dbfs: float
    rms_dbfs: float
    frames_dbfs: Sequence[float]
    correlation: float = 0.0

    @property
    def is_silent(self) -> bool:
        return self.peak_dbfs < SILENT_DBFS


def warnings_of(sound: Sound, survey: Survey, mixing: Mixing, measured: Measured) -> tuple[Warned, ...]:
    """Return what the client should know about its prompt."""
    if measured.is_silent:
        return (Warned("silent", "the audio is silent"),)
    return (*_of_source(sound, survey, mixing), *_of_prompt(sound, measured))


def _of_source(sound: Sound, survey: Survey, mixing: Mixing) -> Iterator[Warned]:
    if sound.open_ended or not (sound.length or survey.stated_seconds):
        yield Warned(
            "length-unknown",
            "the file does not say how long it is, so it was read to its end; check that nothing is missing",
        )
    if mixing.channel is not None and _others_are_heard(survey, mixing.channel):
        yield Warned(
            "one-channel",
            f"the mix of the {len(survey.channels)} channels is silent or quiet;"
            f" only the loudest channel is used, number {mixing.channel + 1}",
        )
    if any(
        channel.flat_factor >= _CLIPPED_FLAT_FACTOR and channel.peak_dbfs >= _CLIPPED_PEAK_DBFS
        for channel in survey.channels
    ):
        yield Warned("clipped", "the recording is overdriven: its peaks are cut off, which sounds distorted")


def _others_are_heard(survey: Survey, channel: int) -> bool:
    least = survey.channels[channel].rms_dbfs - _UNHEARD_DB
    return any(other.rms_dbfs > least for n, other in enumerate(survey.channels) if n != channel)


def _of_prompt(sound: Sound, measured: Measured) -> Iterator[Warned]:
    active = [level for level in measured.frames_dbfs if level > _PAUSE_DBFS]
    level = _mean_dbfs(active)
    if level < _QUIET_DBFS:
        yield Warned(
            "too-quiet",
            f"the audio is quiet: {level:.0f} dBFS without pauses; speech should have -30 to -15 dBFS",
        )
    if not active:
        return
    first = next(n for n, each in enumerate(measured.frames_dbfs) if each > _PAUSE_DBFS)
    last = next(n for n, each in enumerate(reversed(measured.frames_dbfs)) if each > _PAUSE_DBFS)
    for code, frames, limit, where in (
        ("silence-at-start", first, _LONG_START_S, "begins"),
        ("silence-at-end", last, _LONG_END_S, "ends"),
    ):
        seconds = frames * FRAME_MS / 1000
        if seconds >= limit:
            yield Warned(code, f"the audio {where} with {seconds:.1f} s of silence")
    if sound.kind is Kind.PCM and measured.correlation > _LOW_PITCHED:
        yield Warned(
            "low-pitched",
            "the raw PCM has almost no sound above 250 Hz; raw PCM is read as 8000 samples a second, mono",
        )


def _mean_dbfs(levels: Sequence[float]) -> float:
    """Return the mean power of levels in dB; the level of a pause if there are none."""
    if not levels:
        return _PAUSE_DBFS
    return 10 * math.log10(sum(10 ** (level / 10) for level in levels) / len(levels))
