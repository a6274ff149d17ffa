"""How the channels of a file become one: measured by a survey of the whole file before it is transcoded."""

import math
from dataclasses import dataclass

_MAX_LOSS_DB = 6.5
"""A voice in one of two channels loses 6 dB in the mix; more means that the channels cancel each other, or
that the voice is in one of many channels."""

_NO_LOSS_DB = 0.5
_HEADROOM_DB = -0.2
_LEAST_DC = 0.005
_MAX_NORMALISATION_DB = 20.0
_NO_LOUDNESS = -69.0


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a signal; `rms_dbfs` without `dc`, the mean as a fraction of full scale.

    `flat_factor` is 0 for a signal that is not clipped: the length of runs at the peak level, in dB.
    """

    rms_dbfs: float
    peak_dbfs: float
    dc: float = 0.0
    flat_factor: float = 0.0


SILENT = Levels(-math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class Survey:
    """The levels of each channel and of the mix; the length that the container states, and the loudness."""

    channels: tuple[Levels, ...]
    mix: Levels
    stated_seconds: float | None = None
    loudness_lufs: float | None = None


@dataclass(frozen=True, slots=True)
class Mixing:
    """Mix all channels, or take one (from 0); then amplify by `gain_db` and subtract the mean `dc`."""

    channel: int | None = None
    gain_db: float = 0.0
    dc: float = 0.0


PLAIN = Mixing()
"""Mix all channels with weights that add up to one."""


def choose_mixing(survey: Survey, *, target_lufs: float | None = None) -> Mixing:
    """Return the mixing that keeps the level of the loudest channel, and removes an offset.

    With weights that add up to one, a voice in one of six channels is 10 dB quieter than it was, and two
    channels of opposite phase are silent. `target_lufs` is the loudness of all prompts (EBU R 128).
    """
    loudest = max(range(len(survey.channels)), key=lambda n: survey.channels[n].rms_dbfs, default=0)
    source, channel, gain_db = survey.mix, None, 0.0
    if len(survey.channels) > 1 and math.isfinite(survey.channels[loudest].rms_dbfs):
        loss = survey.channels[loudest].rms_dbfs - survey.mix.rms_dbfs
        if loss > _MAX_LOSS_DB:
            source, channel = survey.channels[loudest], loudest
        elif loss > _NO_LOSS_DB:
            gain_db = max(0.0, min(loss, _HEADROOM_DB - survey.mix.peak_dbfs))
    if target_lufs is not None and math.isfinite(source.rms_dbfs):
        gain_db = _normalising_gain(survey, source, target_lufs)
    dc = source.dc * 10 ** (gain_db / 20)
    return Mixing(channel, round(gain_db, 2), round(dc, 5) if abs(source.dc) >= _LEAST_DC else 0.0)


def _normalising_gain(survey: Survey, source: Levels, target_lufs: float) -> float:
    measured = survey.loudness_lufs
    if measured is None or measured < _NO_LOUDNESS:  # shorter than 400 ms, or the channels cancel each other
        loudness = source.rms_dbfs
    else:
        loudness = measured + source.rms_dbfs - survey.mix.rms_dbfs
    return max(-_MAX_NORMALISATION_DB, min(_MAX_NORMALISATION_DB, target_lufs - loudness))
