import math

import pytest

from cato_media.domain.checks import Measured, warnings_of
from cato_media.domain.mixing import PLAIN, Levels, Mixing, Survey, choose_mixing
from cato_media.domain.sound import Coding, Kind, Sound

GOOD = Levels(rms_dbfs=-20, peak_dbfs=-6)
SILENT = Levels(-math.inf, -math.inf)


def sound(**changes) -> Sound:
    fields = {
        "kind": Kind.WAV,
        "coding": Coding.S16LE,
        "start": 44,
        "end": 16044,
        "rate": 8000,
        "channels": 1,
    }
    return Sound(**(fields | {"length": 8000} | changes))


def measured(*frames: float, peak: float = -6, correlation: float = 0.8) -> Measured:
    return Measured(peak, -20, frames or [-20.0] * 50, correlation)


PLAIN_SOUND, PLAIN_SURVEY = sound(), Survey((GOOD,), GOOD)


def codes(measured: Measured, sound: Sound = PLAIN_SOUND, survey: Survey = PLAIN_SURVEY) -> list[str]:
    return [warned.code for warned in warnings_of(sound, survey, PLAIN, measured)]


def test_good_audio_has_no_warnings():
    assert codes(measured()) == []


def test_quiet_audio_is_reported():
    assert codes(measured(*[-40.0] * 50)) == ["too-quiet"]
    assert codes(measured(*[-80.0] * 50, peak=-58)) == ["too-quiet"]
    assert codes(measured(*[-30.0] * 50, *[-80.0] * 200)) == []


def test_silence_is_reported_alone():
    assert codes(measured(*[-80.0] * 50, peak=-61)) == ["silent"]


def test_long_silence_at_an_end_is_reported():
    assert codes(measured(*[-80.0] * 100, -20)) == ["silence-at-start"]
    assert codes(measured(*[-80.0] * 99, -20)) == []
    assert codes(measured(-20, *[-80.0] * 250)) == ["silence-at-end"]


def test_a_clipped_recording_is_reported():
    clipped = Levels(-6, -0.01, flat_factor=25.0)
    assert codes(measured(), survey=Survey((clipped,), clipped)) == ["clipped"]
    flat_but_quiet = Levels(-20, -20, flat_factor=25.0)
    assert codes(measured(), survey=Survey((flat_but_quiet,), flat_but_quiet)) == []


def test_raw_pcm_at_another_rate_is_reported():
    assert codes(measured(correlation=0.99), sound(kind=Kind.PCM)) == ["low-pitched"]
    assert codes(measured(correlation=0.99)) == []


def test_a_file_that_does_not_say_its_length_is_reported():
    assert codes(measured(), sound(open_ended=True)) == ["length-unknown"]
    stated = Survey((GOOD,), GOOD, stated_seconds=2.0)
    assert codes(measured(), sound(length=0)) == ["length-unknown"]
    assert codes(measured(), sound(length=0), stated) == []


@pytest.mark.parametrize(
    ("channels", "mix", "mixing"),
    [
        ((GOOD,), GOOD, Mixing()),
        ((GOOD, GOOD), GOOD, Mixing()),
        ((GOOD, GOOD), Levels(-60, -50), Mixing(channel=0)),  # opposite phase
        ((Levels(-25, -9), GOOD), Levels(-45, -30), Mixing(channel=1)),
        ((GOOD, SILENT), Levels(-26, -12), Mixing(gain_db=6.0)),
        ((GOOD, GOOD), Levels(-23, -8), Mixing(gain_db=3.0)),
        ((GOOD, GOOD), Levels(-23, -2), Mixing(gain_db=1.8)),  # no more than the peak allows
        ((SILENT, SILENT), SILENT, Mixing()),
        ((), SILENT, Mixing()),
        ((Levels(-20, -6, dc=0.3),), Levels(-20, -6, dc=0.3), Mixing(dc=0.3)),
        ((Levels(-20, -6, dc=0.004),), Levels(-20, -6, dc=0.004), Mixing()),
    ],
)
def test_the_loudest_channel_keeps_its_level(channels, mix, mixing):
    assert choose_mixing(Survey(channels, mix)) == mixing


@pytest.mark.parametrize(
    ("loudness", "gain"), [(-25.0, 6.0), (-10.0, -9.0), (-60.0, 20.0), (-70.0, 1.0), (None, 1.0)]
)
def test_the_loudness_is_raised_or_lowered_to_the_target(loudness, gain):
    survey = Survey((GOOD,), GOOD, loudness_lufs=loudness)
    assert choose_mixing(survey, target_lufs=-19.0) == Mixing(gain_db=gain)
