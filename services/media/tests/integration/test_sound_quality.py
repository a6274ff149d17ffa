"""Every format that is taken comes out as a clean prompt of the right length."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from cato_contracts.api.resources import AudioFile
from services.media.tests.support.client import Media
from services.media.tests.support.sounds import ALAW, FLOAT, PCM, converted, packed, tone, wav

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import audioop

LEVELS = np.frombuffer(audioop.alaw2lin(bytes(range(256)), 2), "=i2") / 32768
RATE = 8000
SECONDS = 1.0
EDGE = 800
AMPLITUDE = 0.4
# The period of 1000 Hz is eight samples, so that tone meets only a few levels of A-law, by chance good or bad
# ones. Where that would matter, the usual test tone of telephony is used.
TEST_HZ = 1004.0


@dataclass(frozen=True)
class Heard:
    """What a receiver makes of a prompt; dB, of its middle."""

    seconds: float
    samples: np.ndarray

    def tone(self, hz: float) -> np.ndarray:
        return fitted(self.middle, hz, RATE)

    @property
    def middle(self) -> np.ndarray:
        return self.samples[EDGE : round(SECONDS * RATE) - EDGE]

    def level_db(self, amplitude: float, hz: float = 1000) -> float:
        """The level of a tone against a sine of this amplitude."""
        return decibels(rms(self.tone(hz)) / (amplitude / math.sqrt(2)))

    def signal_to_noise_db(self, hz: float = 1000) -> float:
        sine = self.tone(hz)
        return decibels(rms(sine) / rms(self.middle - sine))


def fitted(samples: np.ndarray, hz: float, rate: int) -> np.ndarray:
    """The sine of this frequency that fits best."""
    phase = 2 * np.pi * hz * np.arange(len(samples)) / rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, samples, rcond=None)
    return basis @ weights


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def decibels(ratio: float) -> float:
    return 20 * math.log10(max(ratio, 1e-9))


async def heard(media: Media, name: str, content: bytes) -> Heard:
    file: AudioFile = await media.add(name, content)
    stored = await media.objects.get(file.content)
    assert len(stored) == file.size_bytes
    assert len(stored) % 160 == 0
    assert file.duration_ms == len(stored) // 8
    return Heard(len(stored) / RATE, LEVELS[np.frombuffer(stored, np.uint8)])


def assert_clean(sound: Heard, amplitude: float = AMPLITUDE, *, hz: float = 1000) -> None:
    assert sound.seconds == pytest.approx(SECONDS, abs=0.02)
    assert sound.level_db(amplitude, hz) == pytest.approx(0, abs=0.5)
    assert sound.signal_to_noise_db(hz) >= 35


WAV_CODINGS = [(1, PCM), (2, PCM), (3, PCM), (4, PCM), (4, FLOAT), (8, FLOAT)]


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000])
@pytest.mark.parametrize("channels", [1, 2])
async def test_wav_of_every_rate_is_clean(media, rate, channels):
    samples = packed(tone(rate, SECONDS, amplitude=AMPLITUDE, channels=channels))
    assert_clean(await heard(media, "tone.wav", wav(samples, rate=rate, channels=channels)))


@pytest.mark.parametrize(("width", "coding"), WAV_CODINGS)
@pytest.mark.parametrize("mask", [None, 3])
async def test_wav_of_every_sample_format_is_clean(media, width, coding, mask):
    data = packed(tone(48000, SECONDS, amplitude=0.8, channels=2), width=width, floating=coding == FLOAT)
    file = wav(data, rate=48000, width=width, channels=2, coding=coding, speaker_mask=mask)
    assert_clean(await heard(media, "tone.wav", file), 0.8)


@pytest.mark.parametrize("codec", ["pcm_alaw", "pcm_mulaw"])
@pytest.mark.parametrize("rate", [8000, 16000])
async def test_wav_in_a_law_and_mu_law_is_clean(media, codec, rate):
    plain = wav(packed(tone(rate, SECONDS, amplitude=AMPLITUDE, hz=1000)), rate=rate)
    assert_clean(await heard(media, "tone.wav", await converted(plain, "wav", "-c:a", codec)))


async def test_a_law_passes_unchanged(media):
    every_code = bytes(range(256)) * 25
    file = await media.add("codes.wav", wav(every_code, rate=8000, width=1, coding=ALAW))
    assert await media.objects.get(file.content) == every_code


@pytest.mark.parametrize("rate", [16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("quality", [["-b:a", "128k"], ["-q:a", "2"]], ids=["constant", "variable"])
async def test_mp3_is_clean(media, rate, channels, quality):
    samples = tone(rate, SECONDS, hz=TEST_HZ, amplitude=AMPLITUDE, channels=channels)
    encoded = await converted(wav(packed(samples), rate=rate, channels=channels), "mp3", *quality)
    # The encoder's output is up to 0.45 dB below its input.
    raw = await converted(encoded, "raw", "-f", "s16le", "-ac", "1")
    middle = np.frombuffer(raw, "<i2")[rate // 10 : -rate // 10] / 32768
    amplitude = rms(fitted(middle, TEST_HZ, rate)) * math.sqrt(2)
    assert_clean(await heard(media, "tone.mp3", encoded), amplitude, hz=TEST_HZ)


async def test_mp3_with_a_picture_in_its_tag_is_clean(media):
    plain = wav(packed(tone(44100, SECONDS, amplitude=AMPLITUDE)), rate=44100)
    tagged = await converted(
        plain,
        "mp3",
        *("-f", "lavfi", "-i", "color=red:size=600x600:duration=0.04", "-map", "0", "-map", "1"),
        *("-c:v", "png", "-disposition:v", "attached_pic", "-id3v2_version", "3", "-write_id3v1", "1"),
        *("-metadata", "title=Наводнение"),
    )
    assert b"APIC" in tagged
    assert_clean(await heard(media, "tone.mp3", tagged))


async def test_mp3_without_a_xing_header_keeps_length_and_level(media):
    plain = wav(packed(tone(44100, SECONDS, amplitude=AMPLITUDE)), rate=44100)
    bare = await converted(plain, "mp3", "-write_xing", "0", "-id3v2_version", "0")
    sound = await heard(media, "tone.mp3", bare)
    # Without the Xing header the padding of the encoder is unknown: at most three frames.
    assert SECONDS <= sound.seconds <= SECONDS + 3 * 1152 / 44100 + 0.02
    assert sound.level_db(AMPLITUDE) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("name", ["tone.pcm", "tone"])
async def test_raw_pcm_is_clean(media, name):
    assert_clean(await heard(media, name, packed(tone(8000, SECONDS, amplitude=AMPLITUDE))))


@pytest.mark.parametrize("level_db", [-40, -30, -20, -10, -6, -3, -1, -0.2])
async def test_a_tone_is_clean_at_every_level(media, level_db):
    amplitude = 10 ** (level_db / 20)
    samples = tone(48000, SECONDS, hz=TEST_HZ, amplitude=amplitude)
    sound = await heard(media, "tone.wav", wav(packed(samples), rate=48000))
    assert sound.level_db(amplitude, TEST_HZ) == pytest.approx(0, abs=0.1)
    # A-law has uniform steps, and so less to offer, below -36 dB.
    assert sound.signal_to_noise_db(TEST_HZ) >= (35 if level_db > -35 else 32)


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("hz", [4600, 5000, 6000, 7000])
async def test_tones_above_the_telephone_band_do_not_alias(media, rate, hz):
    sound = await heard(media, "tone.wav", wav(packed(tone(rate, SECONDS, hz=hz, amplitude=0.9)), rate=rate))
    assert decibels(rms(sound.middle) / (0.9 / math.sqrt(2))) <= -40


@pytest.mark.parametrize("hz", [300, 1004, 2000, 3000, 3400])
async def test_the_telephone_band_is_flat(media, hz):
    sound = await heard(
        media, "tone.wav", wav(packed(tone(48000, SECONDS, hz=hz, amplitude=0.4)), rate=48000)
    )
    assert decibels(rms(sound.tone(hz)) / (0.4 / math.sqrt(2))) == pytest.approx(0, abs=0.5)


async def test_two_loud_channels_do_not_clip_together(media):
    data = packed(tone(44100, SECONDS, amplitude=0.97, channels=2))
    sound = await heard(media, "tone.wav", wav(data, rate=44100, channels=2))
    assert_clean(sound, 0.97)


@pytest.mark.parametrize("gain", [2.0, 8.0])
async def test_audio_above_full_scale_is_limited_without_clipping(media, gain):
    data = packed(tone(48000, SECONDS, amplitude=gain), width=4, floating=True)
    sound = await heard(media, "tone.wav", wav(data, rate=48000, width=4, coding=FLOAT))
    # Clipped, these would be at 14 dB and less.
    assert sound.signal_to_noise_db() >= 30
    assert np.abs(sound.samples).max() <= 0.985


async def test_a_square_wave_does_not_overshoot(media):
    square = [math.copysign(1.0, sample) for sample in tone(48000, SECONDS, hz=441)]
    sound = await heard(media, "square.wav", wav(packed(square), rate=48000))
    assert np.abs(sound.samples).max() <= 0.985
    assert rms(sound.middle) > 0.8


@pytest.mark.parametrize("channels", range(3, 9))
@pytest.mark.parametrize("mask", [None, 0])
async def test_more_channels_are_mixed_without_clipping(media, channels, mask):
    data = packed(tone(48000, SECONDS, amplitude=0.9, channels=channels))
    sound = await heard(media, "tone.wav", wav(data, rate=48000, channels=channels, speaker_mask=mask))
    assert sound.seconds == pytest.approx(SECONDS, abs=0.02)
    assert sound.signal_to_noise_db() >= 30
    assert -6 < sound.level_db(0.9) < 0.5


@pytest.mark.parametrize("samples", [160, 161, 319, 320, 7999])
async def test_a_prompt_is_filled_up_with_silence_to_whole_packets(media, samples):
    file = await media.add("tone.pcm", packed(tone(8000, samples / 8000)))
    stored = await media.objects.get(file.content)
    assert len(stored) == -(-samples // 160) * 160
    assert stored[samples:] == b"\xd5" * (len(stored) - samples)
    assert abs(file.duration_ms - samples / 8) < 20


async def test_silence_becomes_the_silence_code(media):
    file = await media.add("pause", bytes(16000), allow_silence=True)
    assert [warning.code for warning in file.warnings] == ["silent"]
    assert await media.objects.get(file.content) == b"\xd5" * 8000
